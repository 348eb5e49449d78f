"""Our services and the bank-simulator together, over HTTP, without a gateway between."""
