"""What a person may do with a box: one function for each thing, the same for command line, pages and API.

Every public function of the modules below takes the actor and the box first, then plain typed values. It
returns plain values and raises an EdgedError. It declares the right it needs with `@needs` and asks for it at
its start; `rights.may` answers the same question beforehand. Nothing here parses options or prints.

Importing these modules loads no numpy, no OpenCV, no model, no board driver and no HTTP client. A function
that needs them imports them when it is called; an order to the running daemon goes over its control socket.

| module | things to do |
|---|---|
| `people` | list, show, change, remove, enrol, import, export |
| `groups` | list groups, add a person to some |
| `consents` | show and record consents |
| `doors` | state of the doors, orders to them |
| `records` | list, find, explain, export, verify records |
| `punches` | working time, corrections, the direction key |
| `deliveries` | state of the targets, pause, resume, dead letters |
| `maintenance` | back up, restore, verify, forget |
| `cloud_people` | compare with the face cloud, repair, wait for an erasure |
| `settings` | check a configuration |

Beside them: `actor` and `rights` (who may), `box` (on what), `inputs` (times and names as people write them).
"""
