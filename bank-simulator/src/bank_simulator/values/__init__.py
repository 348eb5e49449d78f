"""Pure, immutable values: vocabulary, card data, test cards, fault plans."""
