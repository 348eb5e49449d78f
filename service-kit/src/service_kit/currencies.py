"""The currencies that can be paid with, and how many decimals each has: one table for all services.

ISO 4217, list one, as of 2026-01-01, without what nobody pays with: metals, funds, units of account, tests.
"""

# Not CLDR's figures, which drop the minor unit where cash no longer uses it.
_EXPONENTS = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"], 0),
    **dict.fromkeys(["UGX", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}
_WITH_TWO_DECIMALS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
    USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset([*_EXPONENTS, *_WITH_TWO_DECIMALS.split()])


def is_currency(code: str) -> bool:
    """Whether this is the code of a currency that can be paid with, such as MAD."""
    return code in CURRENCIES


def currency_exponent(currency: str) -> int:
    """Return the number of decimals of the currency's minor unit: 2 for MAD, 0 for JPY, 3 for TND."""
    return _EXPONENTS.get(currency, 2)
