"""What goes wrong between us and a payment provider."""


class PaymentProviderError(Exception):
    """The root of these; says what to do next."""


class UnavailableError(PaymentProviderError):
    """No answer, or one that says to come back: nothing is decided, try again."""


class RefusedError(PaymentProviderError):
    """The payment provider says no, and would say so again."""


class SignatureError(PaymentProviderError):
    """A webhook that the payment provider did not sign, not now, or not for us."""
