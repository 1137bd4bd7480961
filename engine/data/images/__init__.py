"""Images in files: found, decoded, cut and varied by worker processes, finished on the device."""
