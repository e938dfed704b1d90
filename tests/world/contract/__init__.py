"""The contract of `ports.Forge`, for every forge alike. A new one adds a line to `FACES` in `faces.py`."""
