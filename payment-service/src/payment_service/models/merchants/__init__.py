"""Tables of merchants and of who may act for them."""
