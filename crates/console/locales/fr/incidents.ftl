incidents-title = Incidents
col-severity = Gravité
col-incident = Incident
col-verdict = Verdict
col-response = Riposte
col-status = Statut
col-last-seen = Vu en dernier
alerts-count = { $n ->
    [one] { $shown } alerte
   *[other] { $shown } alertes
}
events-count = { $n ->
    [one] { $shown } événement
   *[other] { $shown } événements
}
confidence-short = confiance { $percent }
verdict-pending = en cours d’examen
verdict-pending-text = Le verdict suit d’un instant à l’autre.
status-open = Ouvert
status-in-progress = En cours
status-closed = Clos
filter-text = Rechercher
filter-text-placeholder = Titre, adresse, compte…
filter-severity = Gravité
filter-status = Statut
filter-from = Du
filter-to = Au
filter-rule = Règle
filter-apply = Filtrer
filter-clear = Effacer
any-severity = Toutes
severity-and-up = { $severity } et plus
any-status = Tous
status-unclosed = Non clos
no-match-title = Aucun résultat
no-match-text = Aucun incident ne correspond à ce filtre. Élargissez-le ou effacez-le.
no-incident-yet-text = Aucun incident pour l’instant. Il en apparaît un ici dès qu’une règle se déclenche.
bad-date = Cette date est illisible ; elle n’a pas été prise en compte.
bad-page = Cette page n’existe plus ; voici la première.
actor-address = adresse
actor-account = compte
actor-host = machine
actor-other = { $field }
on-this-page = Sur cette page
verdict = Verdict
analyst-built-in = Analyste intégré
analyst-model = Modèle de langage
model-untrusted = Rédigé par un modèle de langage à partir de ce qui figure dans les journaux. À prendre comme un indice, non comme une preuve.
model-agrees = D’accord avec l’analyste intégré
model-differs = En désaccord avec l’analyste intégré
proposals = Une proposition pour vous ; rien n’a été modifié :
proposal-lower = la juger moins grave ({ $severity }).
proposal-raise = la juger plus grave ({ $severity }), bien que ses journaux s’adressent à des modèles.
proposal-close = clore l’incident comme sans danger.
model-note = Les mots du modèle :
model-tokens = { $n ->
    [one] { $shown } jeton
   *[other] { $shown } jetons
}
model-seconds = { $seconds } s
model-prompt = consigne
model-version = version
model-cached = réponse déjà connue pour les mêmes faits
model-repaired = second essai
model-unenforced = le serveur n’impose pas le schéma
severity = Gravité
category = Catégorie
confidence = Confiance
false-positive = Probabilité de faux positif
autonomy = Un agent d’IA à l’œuvre ?
autonomy-insufficient = Trop peu d’éléments
autonomy-no-sign = Aucun signe
autonomy-automated = Automatisé, origine inconnue
autonomy-probable = Probablement un agent d’IA
autonomy-strong = Indices forts d’un agent d’IA
autonomy-why = Signes d’automatisation
autonomy-explained = Le score additionne les comportements observés. Il donne du contexte : il élève la priorité et ne bannit jamais à lui seul.
indicator = Signe
measured = Mesuré
threshold = Seuil
points = Points
counter-evidence = Ce qui plaide contre
attack = Tactiques et techniques (MITRE ATT&CK)
rationale = Pourquoi
proof = Pièce n° { $number }
more-events = { $n ->
    [one] et { $shown } autre événement
   *[other] et { $shown } autres événements
}
recommendations = Actions recommandées
advice = À faire également
open-questions = Questions ouvertes
decisions = Décisions
no-decision = Rien n’a encore été décidé.
for-duration = pendant { $duration }
policy = Règle de riposte
merged-because = Rattachée :
version = version
timeline = Chronologie
moment-last = Dernier événement
moment-alert = Alerte
moment-verdict = Verdict
moment-decision = Décision
moment-note = Note
moment-evidence = Événement
evidence = Pièces brutes
evidence-explained = Les lignes telles qu’elles ont été lues. Les caractères invisibles sont rendus visibles, rien n’y est un lien.
more-alerts = { $n ->
    [one] Afficher { $shown } alerte de plus
   *[other] Afficher { $shown } alertes de plus
}
lines-count = { $n ->
    [one] { $shown } ligne
   *[other] { $shown } lignes
}
more-lines = { $n ->
    [one] Afficher { $shown } ligne de plus
   *[other] Afficher { $shown } lignes de plus
}
lines-left-out = { $n ->
    [one] { $shown } ligne ultérieure est conservée sans être affichée ici.
   *[other] { $shown } lignes ultérieures sont conservées sans être affichées ici.
}
no-evidence = Aucune ligne brute n’est conservée avec ces alertes.
at-offset = position { $offset }
work = Traitement
owner = Responsable
nobody = Personne
take = Prendre en charge
release = Rendre
reopen = Rouvrir
close-as = Clore comme
choose = Choisir…
close = Clore l’incident
close-true-positive = Attaque (vrai positif)
close-benign-true-positive = Activité autorisée
close-false-positive = Faux positif
close-undetermined = Indéterminé
viewer-only = Votre rôle vous permet de consulter. Les analystes et les administrateurs peuvent modifier les incidents.
notes = Notes
no-note = Aucune note pour l’instant.
add-note = Nouvelle note
save-note = Enregistrer la note
entities = Qui et quoi
more-values = { $n ->
    [one] { $shown } autre valeur
   *[other] { $shown } autres valeurs
}
entity-source-ip = Adresses sources
entity-destination-ip = Adresses de destination
entity-host-name = Machines
entity-user-name = Comptes
entity-user-target-name = Comptes modifiés
entity-user-effective-name = Agissant en tant que
entity-url-path = Chemins demandés
entity-url-domain = Domaines
entity-dns-question-name = Noms résolus
entity-tls-client-server-name = Noms de serveurs TLS
entity-file-path = Fichiers
entity-file-hash = Empreintes de fichiers
entity-process-command-line = Commandes
entity-destination-port = Ports de destination
entity-user-agent-original = Agents utilisateurs
entity-sensor-id = Capteurs
learning-title = Ce que les clôtures ont appris
learning-here = Comment les cas semblables ont été clos
learning-all = Tout voir
learning-explained = Les clôtures déplacent la probabilité de faux positif et la confiance des verdicts suivants sur la même règle et la même entité. Elles n’abaissent jamais la gravité, ne closent rien et n’enlèvent aucune confiance aux incidents élevés ou critiques.
learning-anywhere = Où que la règle ait réagi
learning-more = Premières lignes sur { $shown } ; l’API les donne toutes.
learning-reset = Oublier
learning-reset-confirm = Oublier ce que les clôtures ont appris ? Les incidents restent clos.
no-learning-title = Rien d’appris pour l’instant
no-learning-text = Chaque incident clos avec un motif est retenu ici.
col-rule = Règle
col-about = Objet
