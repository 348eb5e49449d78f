"""What the page says. A plain space before a French sign becomes a no-break space when it is shown."""
# ruff: noqa: RUF001 - typographic apostrophes

from collections.abc import Mapping

from service_kit.web.pages import Catalogue, Language

_TEXTS: Mapping[Language, Mapping[str, str]] = {
    Language.FR: {
        "ask.heading": "Confirmez votre paiement",
        "done.heading": "Identité confirmée",
        "done.text": "Votre banque a confirmé que c’est bien vous. Revenez chez le marchand pour la suite.",
        "failed.heading": "Identité non confirmée",
        "failed.text": "Votre banque n’a pas pu confirmer que c’est bien vous. Ce paiement n’a rien débité.",
        "closed.heading": "Cette demande n’est plus valable",
        "closed.text": "Le marchand a abandonné ce paiement. Rien n’a été débité.",
        "unknown.heading": "Page introuvable",
        "unknown.text": "Aucune demande de confirmation n’existe à cette adresse.",
        "amount": "Montant",
        "merchant": "Marchand",
        "card": "Carte",
        "card.value": "se terminant par {last4}",
        "phone.heading": "Votre téléphone (simulé)",
        "phone.text": "Votre code pour payer {amount} : {code}",
        "code.label": "Code à usage unique",
        "code.hint": "Les six chiffres que votre banque vient de vous envoyer.",
        "code.required": "Entrez le code à six chiffres.",
        "code.wrong.2": "Ce code n’est pas le bon. Il vous reste deux essais.",
        "code.wrong.1": "Ce code n’est pas le bon. Il vous reste un essai.",
        "error.prefix": "Erreur : ",
        "confirm": "Confirmer",
        "cancel": "Annuler le paiement",
        "return": "Revenir chez le marchand",
        "foot": "Banque simulée, pour le développement et les essais.",
    },
    Language.EN: {
        "ask.heading": "Confirm your payment",
        "done.heading": "Identity confirmed",
        "done.text": "Your bank has confirmed that it is you. Go back to the merchant to go on.",
        "failed.heading": "Identity not confirmed",
        "failed.text": "Your bank could not confirm that it is you. Nothing was charged for this payment.",
        "closed.heading": "This request is no longer valid",
        "closed.text": "The merchant has given this payment up. Nothing was charged.",
        "unknown.heading": "Page not found",
        "unknown.text": "There is no request for a confirmation at this address.",
        "amount": "Amount",
        "merchant": "Merchant",
        "card": "Card",
        "card.value": "ending in {last4}",
        "phone.heading": "Your phone (simulated)",
        "phone.text": "Your code to pay {amount}: {code}",
        "code.label": "One-time code",
        "code.hint": "The six digits that your bank has just sent you.",
        "code.required": "Enter the six-digit code.",
        "code.wrong.2": "This is not the right code. You have two tries left.",
        "code.wrong.1": "This is not the right code. You have one try left.",
        "error.prefix": "Error: ",
        "confirm": "Confirm",
        "cancel": "Cancel the payment",
        "return": "Back to the merchant",
        "foot": "A simulated bank, for development and tests.",
    },
}
CATALOGUE = Catalogue(_TEXTS)
