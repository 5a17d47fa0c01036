"""Long-lived connections served beside Django: event streams, terminals and transfers."""
