"""One folder per way of proving who you are; none knows another, none sees a request."""
