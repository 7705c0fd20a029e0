"""How gunicorn serves the broker, where it is preferred to the shipped server (deploy/serve.py)."""

worker_class = "gthread"
threads = 12  # as in deploy/serve.py
# Reading a picture may take 20 s; a slow upload from far away takes longer still.
timeout = 120
graceful_timeout = 30
keepalive = 15
max_requests = 20_000
max_requests_jitter = 2_000
# RFC 9112 sets no limit; ours is what an authorization request may need and no more.
limit_request_line = 8190
limit_request_fields = 64
accesslog = None  # request lines hold codes and handles
control_socket_disable = True
