"""The people of this site and their faces. No recognition here. Importing this package loads nothing.

Modules for the rest of edged: `people`, `consent` and `reader` (values), `store` (reads and changes), `enrol`
and `importer` (photographs), `follower` (keeps a gallery up to date), `cloud_desired` (desired state of the
cloud), `cloud_ledger` (what an erasure leaves for the cloud). `template_rows`, `enrol`, `importer` and
`follower` need numpy; the others load without it.
"""
