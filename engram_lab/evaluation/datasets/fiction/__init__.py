"""Words, names and topics of the conversations that `fictional` writes, and the weaving of them."""
