"""Users, who sign in by e-mail address, and the tokens and agents of their programs."""

import secrets
from datetime import timedelta
from typing import Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from manta.core.prepared import Parameter, Prepared

_Row = TypeVar("_Row", bound=models.Model)
_TOO_LARGE = 2**63


class UserManager(BaseUserManager["User"]):
    def get(self, *args: Any, **kwargs: Any) -> "User":
        """Return the user; by the id alone, as Django does at each request, by a prepared read."""
        pk = kwargs.get("pk")
        is_plain = type(self) is UserManager and not args and len(kwargs) == 1 and not self._db
        # An id from an address may be longer than any that a database takes: Django finds nobody.
        if not is_plain or not isinstance(pk, int) or not 0 < pk < _TOO_LARGE:
            return super().get(*args, **kwargs)
        user = _by_id.first(pk=pk)
        if user is None:
            raise self.model.DoesNotExist("User matching query does not exist.")
        return user

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        with transaction.atomic():
            user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
            # A person who runs commands on the server vouches for the address.
            rows = user.emailaddress_set  # type: ignore[attr-defined]
            rows.create(email=user.email.lower(), primary=True, verified=True)
        return user


class User(AbstractUser):
    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    # Names the user's own sandbox; Sandbox.owner is the truth about whose a sandbox is.
    sandbox = models.OneToOneField(
        "sandboxes.Sandbox",
        to_field="name",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    sandbox_created_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique_in_any_case",
                violation_error_message="Someone has signed up with this e-mail address already.",
            )
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def has_role(self) -> bool:
        """Tell whether it is the account of an administrator, also of a closed one."""
        return self.is_staff or self.is_superuser


_by_id: Prepared[User] = Prepared(
    lambda: User.objects.filter(pk=Parameter("pk", models.BigIntegerField()))
)


class Scope(models.TextChoices):
    """Permissions of a token, in a person's words. No scope reaches accounts or the admin."""

    SANDBOX_READ = "sandbox:read", "See the state of your sandbox and its activity"
    SANDBOX_WRITE = "sandbox:write", "Create, restart, extend, reset and delete your sandbox"
    FILES_READ = "files:read", "Read, search and download the files in your sandbox"
    FILES_WRITE = "files:write", "Write, move, delete and upload files in your sandbox"
    PROCESSES = (
        "processes",
        "Start and stop processes in your sandbox, and read their logs",
    )
    TERMINAL = "terminal", "Use terminals in your sandbox"
    PORTS = "ports", "See the ports of your sandbox, and make them public or private"
    MCP = "mcp", "Use the tools inside your sandbox as an agent: files, commands, ports"


class CredentialQuerySet(models.QuerySet[_Row]):
    def for_user(self, user: Any) -> Self:
        """Return the rows of the user that are not revoked: the access check of all views."""
        return self.filter(user=user, revoked_at=None)

    def usable(self, now: Any = None) -> Self:
        """Return the credentials that are accepted now; an inactive user's are not."""
        now = timezone.now() if now is None else now
        return self.filter(revoked_at=None, expires_at__gt=now, user__is_active=True)


class Credential(models.Model):
    """Credential of a program, valid until it expires or is revoked."""

    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()


class PersonalToken(Credential):
    """Token that a program sends instead of a password. Only its hash is stored."""

    LIFETIMES = (timedelta(days=7), timedelta(days=30), timedelta(days=90), timedelta(days=365))

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="personal_tokens"
    )
    name = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    # The part of the token that names it, and is no secret.
    key = models.CharField(max_length=16, unique=True)
    # SHA-256: what is hashed is 256 random bits, too many to guess, however fast the hash is.
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = CredentialQuerySet["PersonalToken"].as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="personal_token_expires_after_it_was_made",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope_labels(self) -> list[str]:
        return [scope.label for scope in Scope if scope in self.scopes]


def new_agent_key() -> str:
    return f"{ConnectedAgent.KEY_PREFIX}{secrets.token_hex(8)}"


class ConnectedAgentQuerySet(CredentialQuerySet["ConnectedAgent"]):
    def for_user(self, user: Any) -> Self:
        """Return the user's agents that have signed in."""
        return super().for_user(user).filter(connected_at__isnull=False)


class ConnectedAgent(Credential):
    """A client that a person has let in: one row for the two, even when this is repeated.

    It expires with its last refresh token: a new one moves that on.
    """

    KEY_PREFIX = "agent-"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="connected_agents"
    )
    client = models.ForeignKey(
        "allauth_idp_oidc.Client", on_delete=models.CASCADE, related_name="agents"
    )
    # Names it in Grant.key, and is no secret.
    key = models.CharField(max_length=32, unique=True, default=new_agent_key, editable=False)
    # None until the client has fetched its first tokens.
    connected_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ConnectedAgentQuerySet.as_manager()

    class Meta:
        ordering = ["-connected_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "client"], name="one_agent_of_each_client")
        ]

    def __str__(self) -> str:
        return str(self.client.name)


class AgentSecret(models.Model):
    """A code or a refresh token of a connected agent: whether it was shown. It works once.

    The secret itself is nowhere: only its hash. What it was exchanged for is kept sealed for a
    moment, for a client that has lost the answer.
    """

    class Kind(models.TextChoices):
        CODE = "code"
        REFRESH = "refresh"

    agent = models.ForeignKey(ConnectedAgent, on_delete=models.CASCADE, related_name="secrets")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)
    # It is kept afterwards, so that it is recognized when it is shown again.
    spent_at = models.DateTimeField(null=True, blank=True)
    sealed_answer = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.kind} of {self.agent_id}"


class Capability(models.TextChoices):
    """Capabilities of an agent in its user's sandbox."""

    READ = "read", "Read and search files"
    WRITE = "write", "Write and delete files"
    RUN = "run", "Run and stop commands, and restart the sandbox"
    PORTS = "ports", "Get preview addresses of ports"


class AgentPermissions(models.Model):
    """Permissions of one connection, by Grant.key: of a personal token, or of a connected agent."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="agent_permissions"
    )
    key = models.CharField(max_length=32, unique=True)
    capabilities = models.JSONField(default=list)
    # An absolute folder; "" for all of the sandbox.
    path_prefix = models.CharField(max_length=512, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "agent permissions"

    def __str__(self) -> str:
        return self.key
