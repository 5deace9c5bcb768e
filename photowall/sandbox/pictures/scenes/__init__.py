"""The scenes: each draws one kind of picture on a canvas and says in words what
it shows."""
