"""allauth's MFA adapter: second factors are sealed in the database."""

from allauth.mfa.adapter import DefaultMFAAdapter

from accounts import vault

CONTEXT = "second factor"


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        return vault.seal(text, context=CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        return vault.unseal(encrypted_text, context=CONTEXT)
