"""The nouns: frozen values that the rooms above exchange. Nothing here decides anything."""
