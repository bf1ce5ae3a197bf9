overview-title = Overview
counters = Counters since the start
counter-rate = Events per second
counter-events = Events
counter-unparsed = Unrecognised
counter-lost = Lost
open-by-severity = Open incidents by severity
tile-bans = { $n ->
    [one] Active ban
   *[other] Active bans
}
tile-tickets = { $n ->
    [one] Open ticket
   *[other] Open tickets
}
latest-incidents = Latest incidents
all-incidents = All incidents
no-incident-title = All quiet
no-incident-text = No incident so far. What Vigie reads is shown in the live view below; an incident appears here as soon as a rule fires.
alerts-per-hour = Alerts per hour
alerts-in-day = { $n ->
    [one] { $shown } alert in 24 hours
   *[other] { $shown } alerts in 24 hours
}
as-table = Show as a table
hour = Hour
alerts = Alerts
top-rules = Most active rules
top-sources = Most active sources
nothing-yet = Nothing in the last 24 hours.
model-title = Language model
model-reachable = answers
model-unreachable = does not answer
model-name = Model
model-latency = Answered the probe in
model-enforced = Schema enforced
model-enforced-yes = yes
model-enforced-no = no
model-enforced-unknown = not yet known
model-verdicts = Second verdicts since the start
model-fallbacks = { $n ->
    [one] { $shown } left to the built-in analyst
   *[other] { $shown } left to the built-in analyst
}
model-agreement = Agrees with the built-in analyst
model-of = { $n ->
    [one] of { $shown } verdict
   *[other] of { $shown } verdicts
}
model-waiting = Waiting
model-tokens-today = Tokens today
model-checked = As of
live = Live
live-needs-script = The live view needs JavaScript.
live-connected = Connected
live-disconnected = Connection lost, trying again…
live-paused = Paused
live-waiting = Waiting for events…
live-pause = Pause
live-resume = Resume
live-skipped = { "{" }n{ "}" } more not shown
live-alert = alert
live-incident = incident
live-verdict = verdict
live-decision = decision
live-verdict-text = { $category }, confidence { $confidence }
