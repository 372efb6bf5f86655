"""`kubectl paquebot`: the commands that ask and steer a platform, for the one in a cluster."""
