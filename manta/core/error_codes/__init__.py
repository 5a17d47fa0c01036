"""Every code that an error of Manta carries, with its meaning and what to do about it."""
