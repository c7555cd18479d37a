"""The decoder processes: untrusted bytes in, facts, gray pages or mail parts out.

``main.py`` and ``mail.py`` are run as plain scripts under limits of memory and time, so that a bomb
or a decoder bug costs that process and nothing else. They import neither Django nor torch (every
scan pays for this start) and nothing of the product outside of this folder; the parent
(``intake.decoding``, ``intake.mail``) passes the limits in.
"""
