"""`calendly-webhooks`: the subscription, and the receiver that fills the inbox."""
