"""One builder per resource: a released prescription in, plain R4 data out, nothing stored."""
