"""What the system tests and the demo stand on: real processes, real upstreams, real traffic. Standard library only,
but for what says otherwise."""
