"""A scene that plays without camera, relay or cloud: photographs of people who walk up to the door."""
