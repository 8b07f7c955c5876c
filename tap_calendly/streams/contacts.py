"""Contacts of the token's user, and the fields that were added to them."""

from __future__ import annotations

from tap_calendly.reporting.errors import Requires
from tap_calendly.schemas.contacts import CONTACT, CONTACT_CUSTOM_FIELD_DEFINITION
from tap_calendly.singer.stream import CalendlyStream


class Contacts(CalendlyStream):
    """Contacts, the last changed first."""

    name = "contacts"
    path = "/contacts"
    of_own_user = True
    sort = "updated_at:desc"
    properties = CONTACT
    requires = Requires("contacts:read", plan="Standard")
    replication_key = "updated_at"
    newest_first = True


class ContactCustomFieldDefinitions(CalendlyStream):
    """Fields that contacts have beside the usual ones."""

    name = "contact_custom_field_definitions"
    path = "/contacts/custom_field_definitions"
    of_own_user = True
    paged = False
    properties = CONTACT_CUSTOM_FIELD_DEFINITION
    requires = Requires("contacts:read", plan="Standard")
