"""People: the organisation and its members, as they come and go."""

from __future__ import annotations

from sandbox.activity import ActivityLog
from sandbox.identifiers import PAGES, last_segment
from sandbox.state import Record, deleted_address, known, life, slug

PLANS = ("basic", "essentials", "standard", "professional", "teams", "enterprise")
ROLES = ("user", "admin", "owner")

NOT_IN_MEMBERSHIP = ("current_organization", "resource_type")


class Organization(ActivityLog):
    """The organisation and the people in it."""

    @life
    def found(self, *, name: str, plan: str) -> None:
        """Create the organisation and its owner.

        Raises:
            ValueError: If Calendly has no such plan.
        """
        if plan not in PLANS:
            message = f"Calendly has no plan {plan!r}, only {', '.join(PLANS)}"
            raise ValueError(message)
        stamp = self.stamp()
        self.organization = {
            "uri": self.identifiers.new_uri("organizations", name),
            "kind": "multiple",
            "name": name,
            "plan": plan,
            "stage": "free" if plan == "basic" else "paid",
            "created_at": stamp,
            "updated_at": stamp,
        }
        self.owner = self._join(
            name="Ada Winter", email="ada@windmill.example", role="owner", timezone="Europe/Berlin"
        )

    @life
    def add_member(
        self, *, name: str, email: str, role: str = "user", timezone: str = "America/New_York"
    ) -> str:
        """Let a person join the organisation.

        Args:
            name: The full name.
            email: The address he logs in with.
            role: ``user`` or ``admin``; there is one owner already.
            timezone: The IANA name of the time zone he lives in.

        Returns:
            The user's URI.

        Raises:
            ValueError: If a member has this address, or the role cannot be given.
        """
        if role not in ("user", "admin"):
            message = f"a member joins as user or admin, not as {role!r}"
            raise ValueError(message)
        self._require_new(email)
        return self._join(name=name, email=email, role=role, timezone=timezone)

    @life
    def remove_member(self, *, user: str) -> None:
        """Let a user leave the organisation: he vanishes from its lists, his meetings stay.

        Raises:
            ValueError: If he is no member, or the owner.
        """
        self._leave(user)
        record = self.users[user]
        elsewhere = self.identifiers.new_uri("organizations", user)
        stamp = self.stamp()
        record.update(current_organization=elsewhere, updated_at=stamp)
        self._log("User.Remove", at=stamp, about=user)

    @life
    def delete_user(self, *, user: str) -> None:
        """Delete a user: his event types go, his meetings stay, scrubbed of his name and address.

        The scrub moves no ``updated_at``.

        Raises:
            ValueError: If he is no member, or the owner.
        """
        self._leave(user)
        del self.users[user]
        stamp = self.stamp()
        for event_type in self.event_types.values():
            if event_type["profile"]["owner"] == user and event_type["deleted_at"] is None:
                event_type.update(deleted_at=stamp, updated_at=stamp, active=False)
        for event in self.events.values():
            for membership in event["event_memberships"]:
                if membership["user"] == user:
                    membership.update(user_email=deleted_address(user), user_name="deleted")
        self._log("User.Delete", at=stamp, about=user)

    def _require_new(self, email: str) -> None:
        if any(one["user"]["email"] == email for one in self.memberships.values()):
            message = f"{email} is a member already"
            raise ValueError(message)

    def _join(self, *, name: str, email: str, role: str, timezone: str) -> str:
        stamp = self.stamp()
        uri = self.identifiers.new_uri("users", email)
        user: Record = {
            "uri": uri,
            "name": name,
            "slug": slug(name),
            "email": email,
            "scheduling_url": f"{PAGES}/{slug(name)}",
            "timezone": timezone,
            "time_notation": "12h" if timezone.startswith("America/") else "24h",
            "avatar_url": None,
            "created_at": stamp,
            "updated_at": stamp,
            "current_organization": self.organization["uri"],
            "resource_type": "User",
            "locale": "en",
        }
        if self.identifiers.number("avatar", email, below=2):
            user["avatar_url"] = f"{PAGES}/avatars/{last_segment(uri)}.png"
        self.users[uri] = user
        membership = self.identifiers.new_uri("organization_memberships", email)
        self.memberships[membership] = {
            "uri": membership,
            "role": role,
            "user": {key: user[key] for key in user if key not in NOT_IN_MEMBERSHIP},
            "organization": self.organization["uri"],
            "updated_at": stamp,
            "created_at": stamp,
        }
        self._arrive(uri)
        self._log("User.Add", at=stamp, about=uri, actor=uri, details={"role": role})
        return uri

    def _membership(self, user: str) -> Record:
        known(self.users, user, "user")
        for membership in self.memberships.values():
            if membership["user"]["uri"] == user:
                return membership
        message = f"{user} is no member of the organisation"
        raise ValueError(message)

    def _leave(self, user: str) -> None:
        membership = self._membership(user)
        if user == self.owner:
            message = "the owner cannot leave the organisation"
            raise ValueError(message)
        self._depart(user)
        del self.memberships[membership["uri"]]
