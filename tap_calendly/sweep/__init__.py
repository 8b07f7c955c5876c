"""Which meetings a run reads."""
