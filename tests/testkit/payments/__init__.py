"""payment-service with everything around it scripted."""
