overview-title = Vue d’ensemble
counters = Compteurs depuis le démarrage
counter-rate = Événements par seconde
counter-events = Événements
counter-unparsed = Non reconnus
counter-lost = Perdus
open-by-severity = Incidents ouverts par gravité
tile-bans = { $n ->
    [one] Bannissement actif
   *[other] Bannissements actifs
}
tile-tickets = { $n ->
    [one] Ticket ouvert
   *[other] Tickets ouverts
}
latest-incidents = Derniers incidents
all-incidents = Tous les incidents
no-incident-title = Rien à signaler
no-incident-text = Aucun incident pour l’instant. Ce que lit Vigie défile en direct plus bas ; un incident apparaît ici dès qu’une règle se déclenche.
alerts-per-hour = Alertes par heure
alerts-in-day = { $n ->
    [one] { $shown } alerte en 24 heures
   *[other] { $shown } alertes en 24 heures
}
as-table = Afficher sous forme de tableau
hour = Heure
alerts = Alertes
top-rules = Règles les plus actives
top-sources = Sources les plus actives
nothing-yet = Rien ces dernières 24 heures.
model-title = Modèle de langage
model-reachable = répond
model-unreachable = ne répond pas
model-name = Modèle
model-latency = A répondu à l’essai en
model-enforced = Schéma imposé
model-enforced-yes = oui
model-enforced-no = non
model-enforced-unknown = pas encore connu
model-verdicts = Seconds verdicts depuis le démarrage
model-fallbacks = { $n ->
    [one] { $shown } laissé à l’analyste intégré
   *[other] { $shown } laissés à l’analyste intégré
}
model-agreement = D’accord avec l’analyste intégré
model-of = { $n ->
    [one] sur { $shown } verdict
   *[other] sur { $shown } verdicts
}
model-waiting = En attente
model-tokens-today = Jetons aujourd’hui
model-checked = État au
live = En direct
live-needs-script = La vue en direct nécessite JavaScript.
live-connected = Connecté
live-disconnected = Connexion perdue, nouvelle tentative…
live-paused = En pause
live-waiting = En attente d’événements…
live-pause = Mettre en pause
live-resume = Reprendre
live-skipped = { "{" }n{ "}" } autres non affichés
live-alert = alerte
live-incident = incident
live-verdict = verdict
live-decision = décision
live-verdict-text = { $category }, confiance { $confidence }
