"""Our archive spoken as Instagram API v1, the publisher's side included."""
