"""Invitations to join the organisation, and what becomes of them."""

from __future__ import annotations

from sandbox.identifiers import last_segment
from sandbox.organization import Organization
from sandbox.state import Record, known, life


class Invitations(Organization):
    """Whoever was asked to join the organisation."""

    @life
    def invite(self, *, email: str, send: bool = True) -> str:
        """Ask somebody to join.

        Args:
            email: His address.
            send: Whether the invitation is sent at once; until then ``last_sent_at`` is null.

        Returns:
            The invitation's URI.

        Raises:
            ValueError: If a member has this address, or an invitation to it is pending.
        """
        self._require_new(email)
        if any(one["email"] == email for one in self._pending()):
            message = f"{email} is invited already"
            raise ValueError(message)
        stamp = self.stamp()
        within = f"organizations/{last_segment(self.organization['uri'])}/invitations"
        uri = self.identifiers.new_uri(within, email)
        self.invitations[uri] = {
            "uri": uri,
            "organization": self.organization["uri"],
            "email": email,
            "status": "pending",
            "created_at": stamp,
            "updated_at": stamp,
            "last_sent_at": stamp if send else None,
        }
        self._log("Invitation.Create", at=stamp, about=uri, details={"email": email})
        return uri

    @life
    def resend_invitation(self, *, invitation: str) -> None:
        """Send a pending invitation again; moves ``last_sent_at`` and ``updated_at``.

        Raises:
            ValueError: If there is no such invitation, or it is answered already.
        """
        record = self._pending_invitation(invitation)
        stamp = self.stamp()
        record.update(last_sent_at=stamp, updated_at=stamp)

    @life
    def accept_invitation(
        self, *, invitation: str, name: str, timezone: str = "America/New_York"
    ) -> str:
        """Let whoever was invited join as a user; the invitation then tells who he is.

        Args:
            invitation: The invitation's URI.
            name: His full name.
            timezone: The IANA name of the time zone he lives in.

        Returns:
            The user's URI.

        Raises:
            ValueError: If there is no such invitation, it is answered already, or a member has
                this address meanwhile.
        """
        record = self._pending_invitation(invitation)
        user = self.add_member(name=name, email=record["email"], timezone=timezone)
        record.update(status="accepted", user=user, updated_at=self.stamp())
        return user

    @life
    def decline_invitation(self, *, invitation: str) -> None:
        """Let whoever was invited decline.

        Raises:
            ValueError: If there is no such invitation, or it is answered already.
        """
        record = self._pending_invitation(invitation)
        record.update(status="declined", updated_at=self.stamp())

    @life
    def revoke_invitation(self, *, invitation: str) -> None:
        """Take a pending invitation back: it vanishes, and with it its places in groups.

        Raises:
            ValueError: If there is no such invitation, or it is answered already.
        """
        self._pending_invitation(invitation)
        del self.invitations[invitation]
        self._log("Invitation.Revoke", about=invitation)

    def _pending(self) -> list[Record]:
        return [one for one in self.invitations.values() if one["status"] == "pending"]

    def _pending_invitation(self, uri: str) -> Record:
        record = known(self.invitations, uri, "invitation")
        if record["status"] != "pending":
            message = f"the invitation {uri} is {record['status']} already"
            raise ValueError(message)
        return record
