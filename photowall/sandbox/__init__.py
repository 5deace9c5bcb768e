"""The sandbox: a second instance of this product that plays the upstream."""
