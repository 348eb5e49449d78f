"""Card numbers that must outlive a request, encrypted; nothing else in the service stores one."""
