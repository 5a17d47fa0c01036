"""What goes on beside Django for as long as somebody listens: streams, terminals, transfers."""
