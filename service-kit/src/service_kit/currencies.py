"""How many decimals a currency has: one table, so that no two services read an amount differently."""

# ISO 4217, list one; not CLDR's figures, which drop the minor unit where cash no longer uses it.
_EXPONENTS = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"], 0),
    **dict.fromkeys(["UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def currency_exponent(currency: str) -> int:
    """Return the number of decimals of the currency's minor unit: 2 for MAD, 0 for JPY, 3 for TND."""
    return _EXPONENTS.get(currency, 2)
