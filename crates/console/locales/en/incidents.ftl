incidents-title = Incidents
col-severity = Severity
col-incident = Incident
col-verdict = Verdict
col-response = Response
col-status = Status
col-last-seen = Last seen
alerts-count = { $n ->
    [one] { $shown } alert
   *[other] { $shown } alerts
}
events-count = { $n ->
    [one] { $shown } event
   *[other] { $shown } events
}
confidence-short = confidence { $percent }
verdict-pending = being judged
verdict-pending-text = The verdict follows within moments.
status-open = Open
status-in-progress = In progress
status-closed = Closed
filter-text = Search
filter-text-placeholder = Title, address, account…
filter-severity = Severity
filter-status = Status
filter-from = From
filter-to = To
filter-rule = Rule
filter-apply = Filter
filter-clear = Clear
any-severity = Any
severity-and-up = { $severity } and above
any-status = Any
status-unclosed = Not closed
no-match-title = Nothing matches
no-match-text = No incident matches this filter. Widen it or clear it.
no-incident-yet-text = No incident so far. One appears here as soon as a rule fires.
bad-date = That date cannot be read; it was left out.
bad-page = That page is gone; this is the first one.
actor-address = address
actor-account = account
actor-host = machine
actor-other = { $field }
on-this-page = On this page
verdict = Verdict
analyst-built-in = Built-in analyst
analyst-model = Language model
model-untrusted = Written by a language model from what stands in the logs. Take it as a hint, not as proof.
model-agrees = Agrees with the built-in analyst
model-differs = Differs from the built-in analyst
proposals = A proposal for you; nothing was changed:
proposal-lower = take it as less severe ({ $severity }).
proposal-raise = take it as more severe ({ $severity }), though its logs speak to models.
proposal-close = close it as harmless.
model-note = The model’s own words:
model-tokens = { $n ->
    [one] { $shown } token
   *[other] { $shown } tokens
}
model-seconds = { $seconds } s
model-prompt = prompt
model-version = version
model-cached = answer known from the same facts
model-repaired = second try
model-unenforced = the server does not hold answers to the schema
severity = Severity
category = Category
confidence = Confidence
false-positive = Likelihood of a false positive
autonomy = AI agent at work?
autonomy-insufficient = Too little to tell
autonomy-no-sign = No sign
autonomy-automated = Automated, origin unknown
autonomy-probable = Probably an AI agent
autonomy-strong = Strong evidence of an AI agent
autonomy-why = Signs of automation
autonomy-explained = The score adds up how the actor behaves. It is context: it raises priority and never bans alone.
indicator = Sign
measured = Measured
threshold = Threshold
points = Points
counter-evidence = What speaks against it
attack = Tactics and techniques (MITRE ATT&CK)
rationale = Why
proof = Evidence { $number }
more-events = { $n ->
    [one] and { $shown } more event
   *[other] and { $shown } more events
}
recommendations = Recommended actions
advice = Also worth doing
open-questions = Open questions
decisions = Decisions
no-decision = Nothing has been decided yet.
for-duration = for { $duration }
policy = Policy
merged-because = Belongs here:
version = version
timeline = Timeline
moment-last = Last event
moment-alert = Alert
moment-verdict = Verdict
moment-decision = Decision
moment-note = Note
moment-evidence = Event
evidence = Raw evidence
evidence-explained = The lines as they were read. Invisible characters are made visible, nothing in them is a link.
more-alerts = { $n ->
    [one] Show { $shown } more alert
   *[other] Show { $shown } more alerts
}
lines-count = { $n ->
    [one] { $shown } line
   *[other] { $shown } lines
}
more-lines = { $n ->
    [one] Show { $shown } more line
   *[other] Show { $shown } more lines
}
lines-left-out = { $n ->
    [one] { $shown } later line is kept and not shown here.
   *[other] { $shown } later lines are kept and not shown here.
}
no-evidence = No raw line is kept with these alerts.
at-offset = offset { $offset }
work = Handling
owner = Owner
nobody = Nobody
take = Take it on
release = Hand it back
reopen = Reopen
close-as = Close as
choose = Choose…
close = Close the incident
close-true-positive = Attack (true positive)
close-benign-true-positive = Permitted activity
close-false-positive = False positive
close-undetermined = Undetermined
viewer-only = Your role lets you read. Analysts and administrators can change incidents.
notes = Notes
no-note = No note yet.
add-note = New note
save-note = Save the note
entities = Who and what
more-values = { $n ->
    [one] { $shown } more value
   *[other] { $shown } more values
}
entity-source-ip = Source addresses
entity-destination-ip = Destination addresses
entity-host-name = Machines
entity-user-name = Accounts
entity-user-target-name = Accounts changed
entity-user-effective-name = Acting as
entity-url-path = Paths requested
entity-url-domain = Domains
entity-dns-question-name = Names looked up
entity-tls-client-server-name = TLS server names
entity-file-path = Files
entity-file-hash = File hashes
entity-process-command-line = Commands
entity-destination-port = Destination ports
entity-user-agent-original = User agents
entity-sensor-id = Sensors
learning-title = What closings taught
learning-here = How the like was closed before
learning-all = All of it
learning-explained = Closings move the likelihood of a false positive and the confidence of later verdicts on the same rule and entity. They never lower the severity, never close anything, and take no confidence from high or critical incidents.
learning-anywhere = Wherever the rule fired
learning-more = The first rows of { $shown }; the API has them all.
learning-reset = Forget this
learning-reset-confirm = Forget what closings taught? The incidents stay closed.
no-learning-title = Nothing learnt yet
no-learning-text = Each incident that somebody closes with a reason is remembered here.
col-rule = Rule
col-about = About
