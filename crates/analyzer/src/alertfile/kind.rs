//! What is known of the kinds of alert that other tools raise: one table, and therefore long.

use vigie_event::{Action, Category, Severity};

use crate::facts::Phase;

/// A kind of alert with what is known of it.
#[derive(Debug)]
pub struct Kind {
    /// Short name.
    pub name: &'static str,
    /// Words in an alert's type that tell it is of this kind, in lower case, English and French.
    pub(super) words: &'static [&'static str],
    /// What kind of attack it is.
    pub category: Category,
    /// How bad it is where the file does not say.
    pub severity: Severity,
    /// ATT&CK ids: the tactic, then techniques.
    pub attack: &'static [&'static str],
    /// How often such alerts are raised without an attack, 0–100.
    pub false_positive: i32,
    /// What to do, most urgent first.
    pub actions: &'static [Action],
    /// What people should do, most urgent first, English and French.
    pub advice: &'static [(&'static str, &'static str)],
    pub(super) phase: Option<Phase>,
}

/// The kind of the alert whose type or description is `text`; the last one is for all others.
pub(super) fn of(text: &str) -> Option<&'static Kind> {
    let lower = text.to_lowercase().replace(['_', '-', '.', '/'], " ");
    KINDS.iter().find(|kind| kind.words.iter().any(|word| lower.contains(word)))
}

/// What is known of an alert of no known kind.
pub(super) static OTHER: Kind = Kind {
    name: "other",
    words: &[],
    category: Category::SuspiciousActivity,
    severity: Severity::Low,
    attack: &[],
    false_positive: 60,
    actions: &[Action::Monitor],
    advice: &[(
        "Look at the alert: nothing is known of its kind.",
        "Examiner l’alerte : rien n’est connu de ce type.",
    )],
    phase: None,
};

/// The kinds, the more particular ones first, since the first that fits is taken.
static KINDS: [Kind; 20] = [
    Kind {
        name: "sql_injection",
        words: &["sql inj", "sqli", "injection sql"],
        category: Category::WebAttack,
        severity: Severity::High,
        attack: &["TA0001", "T1190"],
        false_positive: 15,
        actions: &[Action::BlockIp, Action::CreateTicket],
        advice: &[
            (
                "Block the source, and look for answers 200 or slow answers to its requests.",
                "Bloquer la source, et chercher des réponses 200 ou lentes à ses requêtes.",
            ),
            (
                "Correct the page with prepared statements.",
                "Corriger la page avec des requêtes préparées.",
            ),
            (
                "Check the database for unknown accounts and exports.",
                "Vérifier dans la base les comptes inconnus et les exports.",
            ),
        ],
        phase: Some(Phase::InitialAccess),
    },
    Kind {
        name: "exfiltration",
        words: &[
            "exfil",
            "data leak",
            "data theft",
            "fuite de donn",
            "vol de donn",
            "large upload",
            "data transfer",
        ],
        category: Category::Exfiltration,
        severity: Severity::Critical,
        attack: &["TA0010", "T1048", "T1041"],
        false_positive: 25,
        actions: &[Action::BlockIp, Action::Escalate],
        advice: &[
            (
                "Cut the machine off the network, and block the receiver.",
                "Couper la machine du réseau, et bloquer le destinataire.",
            ),
            (
                "Find out which data left, and whom you must tell within 72 hours.",
                "Déterminer quelles données sont sorties, et qui doit être informé sous 72 heures.",
            ),
            (
                "Keep logs and memory as evidence.",
                "Conserver les journaux et la mémoire comme preuves.",
            ),
        ],
        phase: Some(Phase::Exfiltration),
    },
    Kind {
        name: "lateral_movement",
        words: &["lateral", "latéral", "pivot", "pass the hash", "psexec", "internal spread"],
        category: Category::LateralMovement,
        severity: Severity::High,
        attack: &["TA0008", "T1021"],
        false_positive: 30,
        actions: &[Action::Escalate, Action::CreateTicket],
        advice: &[
            (
                "Isolate the machine that the movement starts from.",
                "Isoler la machine d’où part le déplacement.",
            ),
            (
                "Change the keys and passwords that it holds.",
                "Changer les clés et mots de passe qu’elle détient.",
            ),
            (
                "Look on the machines reached for new accounts, tasks and services.",
                "Chercher sur les machines atteintes de nouveaux comptes, tâches et services.",
            ),
        ],
        phase: Some(Phase::LateralMovement),
    },
    Kind {
        name: "credential_access",
        words: &[
            "credential",
            "identifiants",
            "mimikatz",
            "lsass",
            "password dump",
            "hash dump",
            "kerberoast",
            "keylog",
        ],
        category: Category::CredentialAccess,
        severity: Severity::Critical,
        attack: &["TA0006", "T1003", "T1555"],
        false_positive: 15,
        actions: &[Action::Escalate, Action::BlockIp],
        advice: &[
            (
                "Take the credentials of the machine for stolen: change them, administrators’ first.",
                "Considérer les identifiants de la machine comme volés : les changer, d’abord ceux des administrateurs.",
            ),
            (
                "End all sessions and revoke tokens.",
                "Fermer toutes les sessions et révoquer les jetons.",
            ),
            (
                "Look for logins with these accounts since then.",
                "Chercher les connexions de ces comptes depuis lors.",
            ),
        ],
        phase: Some(Phase::CredentialAccess),
    },
    Kind {
        name: "brute_force",
        words: &[
            "brute",
            "password guess",
            "password spray",
            "login fail",
            "failed login",
            "ssh failed",
            "failed password",
            "authentication fail",
            "échec de connexion",
            "echec de connexion",
            "credential stuff",
            "logon failures",
            "invalid user",
            "non existent user",
        ],
        category: Category::BruteForce,
        severity: Severity::High,
        attack: &["TA0006", "T1110.001"],
        false_positive: 20,
        actions: &[Action::BlockIp, Action::CreateTicket],
        advice: &[
            ("Block the source.", "Bloquer la source."),
            ("Check that no attempt succeeded.", "Vérifier qu’aucune tentative n’a abouti."),
            (
                "Allow keys only, or ask for a second factor.",
                "N’autoriser que les clés, ou exiger un second facteur.",
            ),
        ],
        phase: Some(Phase::CredentialAccess),
    },
    Kind {
        name: "api_abuse",
        words: &["api "],
        category: Category::SuspiciousActivity,
        severity: Severity::Medium,
        attack: &["TA0009", "T1119"],
        false_positive: 45,
        actions: &[Action::CreateTicket, Action::Monitor],
        advice: &[
            (
                "Find out whose key it is; revoke it if nobody answers for the use.",
                "Déterminer à qui est la clé ; la révoquer si personne ne répond de son usage.",
            ),
            ("Limit the rate of the API for each key.", "Limiter le débit de l’API par clé."),
        ],
        phase: Some(Phase::Collection),
    },
    Kind {
        name: "ransomware",
        words: &["ransom", "rançon", "mass encrypt", "chiffrement massif"],
        category: Category::Malware,
        severity: Severity::Critical,
        attack: &["TA0040", "T1486"],
        false_positive: 10,
        actions: &[Action::Escalate],
        advice: &[
            (
                "Cut the machine off the network now; do not switch it off.",
                "Couper la machine du réseau maintenant ; ne pas l’éteindre.",
            ),
            (
                "Disconnect back-ups, and check that they can be read.",
                "Déconnecter les sauvegardes, et vérifier qu’elles sont lisibles.",
            ),
        ],
        phase: Some(Phase::Impact),
    },
    Kind {
        name: "malware",
        words: &[
            "malware",
            "maliciel",
            "malveillant",
            "virus",
            "trojan",
            "cheval de troie",
            "eicar",
            "backdoor",
            "porte dérobée",
        ],
        category: Category::Malware,
        severity: Severity::Critical,
        attack: &["TA0002", "T1204.002"],
        false_positive: 15,
        actions: &[Action::Escalate, Action::CreateTicket],
        advice: &[
            ("Isolate the machine.", "Isoler la machine."),
            (
                "Keep the file as evidence, then remove it.",
                "Conserver le fichier comme preuve, puis le supprimer.",
            ),
            (
                "Find out how it came in and whether it ran.",
                "Déterminer comment il est arrivé et s’il a été exécuté.",
            ),
        ],
        phase: Some(Phase::Execution),
    },
    Kind {
        name: "command_and_control",
        words: &[
            "command and control",
            "c2 ",
            "beacon",
            "botnet",
            "dns tunnel",
            "tunnel dns",
            "dns query suspicious",
            "suspicious dns",
            "dns suspect",
            "commande et contrôle",
        ],
        category: Category::CommandAndControl,
        severity: Severity::Critical,
        attack: &["TA0011", "T1071"],
        false_positive: 25,
        actions: &[Action::BlockIp, Action::Escalate],
        advice: &[
            (
                "Cut the machine off the Internet, and find the process that talks.",
                "Couper la machine d’Internet, et trouver le processus qui communique.",
            ),
            (
                "Block the domain or address for everybody.",
                "Bloquer le domaine ou l’adresse pour tous.",
            ),
        ],
        phase: Some(Phase::CommandAndControl),
    },
    Kind {
        name: "privilege_escalation",
        words: &["privilege", "privilège", "sudo", "escalation", "élévation", "root access"],
        category: Category::PrivilegeEscalation,
        severity: Severity::High,
        attack: &["TA0004", "T1068", "T1548"],
        false_positive: 30,
        actions: &[Action::Escalate, Action::CreateTicket],
        advice: &[
            (
                "Ask the owner of the account; if he knows nothing, end the session.",
                "Interroger le titulaire du compte ; s’il n’en sait rien, fermer la session.",
            ),
            (
                "Go through what was done with the rights gained.",
                "Passer en revue ce qui a été fait avec les droits obtenus.",
            ),
        ],
        phase: Some(Phase::PrivilegeEscalation),
    },
    Kind {
        name: "execution",
        words: &[
            "command exec",
            "execution",
            "exécution",
            "shell",
            "rce",
            "powershell",
            "suspicious process",
            "processus suspect",
            "commandes",
        ],
        category: Category::Execution,
        severity: Severity::High,
        attack: &["TA0002", "T1059"],
        false_positive: 20,
        actions: &[Action::Escalate, Action::CreateTicket],
        advice: &[
            (
                "Isolate the machine, and keep the list of its processes and connections.",
                "Isoler la machine, et conserver la liste de ses processus et connexions.",
            ),
            (
                "Read the commands in order: they show what the attacker is after.",
                "Lire les commandes dans l’ordre : elles montrent ce que cherche l’attaquant.",
            ),
        ],
        phase: Some(Phase::Execution),
    },
    Kind {
        name: "persistence",
        words: &[
            "persistence",
            "persistance",
            "scheduled task",
            "tâche planifiée",
            "new account",
            "account created",
            "compte créé",
            "cron",
        ],
        category: Category::Persistence,
        severity: Severity::High,
        attack: &["TA0003", "T1053", "T1136"],
        false_positive: 35,
        actions: &[Action::CreateTicket, Action::Escalate],
        advice: &[(
            "Remove what was put in place, after finding out who did it and from where.",
            "Retirer ce qui a été mis en place, après avoir déterminé qui l’a fait et d’où.",
        )],
        phase: Some(Phase::Persistence),
    },
    Kind {
        name: "defense_evasion",
        words: &[
            "log clear",
            "log tamper",
            "journaux effacés",
            "disabled antivirus",
            "evasion",
            "contournement",
            "tampering",
        ],
        category: Category::DefenseEvasion,
        severity: Severity::High,
        attack: &["TA0005", "T1562", "T1070"],
        false_positive: 25,
        actions: &[Action::Escalate, Action::CreateTicket],
        advice: &[(
            "Switch the protection on again, and look at what happened while it was off.",
            "Réactiver la protection, et examiner ce qui s’est passé pendant son arrêt.",
        )],
        phase: Some(Phase::DefenseEvasion),
    },
    Kind {
        name: "port_scan",
        words: &["scan", "balayage", "recon", "nmap", "sweep"],
        category: Category::PortScan,
        severity: Severity::Medium,
        attack: &["TA0007", "T1046"],
        false_positive: 40,
        actions: &[Action::CreateTicket, Action::Monitor],
        advice: &[
            (
                "Find out whether the source is a tool of your own.",
                "Déterminer si la source est un de vos outils.",
            ),
            (
                "Watch the source; close ports that need not be open.",
                "Surveiller la source ; fermer les ports inutilement ouverts.",
            ),
        ],
        phase: Some(Phase::Discovery),
    },
    Kind {
        name: "web_attack",
        words: &[
            "shellshock",
            "xss",
            "cross site",
            "path traversal",
            "directory traversal",
            "traversée",
            "web attack",
            "http anomaly",
            "attaque web",
            "webshell",
            "web shell",
            "ssrf",
            "log4",
        ],
        category: Category::WebAttack,
        severity: Severity::High,
        attack: &["TA0001", "T1190"],
        false_positive: 25,
        actions: &[Action::BlockIp, Action::CreateTicket],
        advice: &[
            ("Block the source.", "Bloquer la source."),
            (
                "Check how the server answered; an answer 200 wants a closer look.",
                "Vérifier la réponse du serveur ; un code 200 mérite un examen.",
            ),
        ],
        phase: Some(Phase::InitialAccess),
    },
    Kind {
        name: "exploit",
        words: &["exploit", "cve 19", "cve 20"],
        category: Category::WebAttack,
        severity: Severity::High,
        attack: &["TA0001", "T1190"],
        false_positive: 30,
        actions: &[Action::BlockIp, Action::CreateTicket],
        advice: &[
            (
                "Check whether the target is open to this hole, and update it.",
                "Vérifier si la cible est vulnérable à cette faille, et la mettre à jour.",
            ),
            (
                "Look at what the target answered and started since.",
                "Examiner ce que la cible a répondu et lancé depuis.",
            ),
        ],
        phase: Some(Phase::InitialAccess),
    },
    Kind {
        name: "denial_of_service",
        words: &["ddos", "denial of service", "déni de service", "flood"],
        category: Category::SuspiciousActivity,
        severity: Severity::High,
        attack: &["TA0040", "T1498"],
        false_positive: 30,
        actions: &[Action::BlockIp, Action::Escalate],
        advice: &[(
            "Limit the rate, and ask your provider to filter.",
            "Limiter le débit, et demander un filtrage à l’hébergeur.",
        )],
        phase: Some(Phase::Impact),
    },
    Kind {
        name: "phishing",
        words: &["phish", "hameçonnage", "spearphish"],
        category: Category::SuspiciousActivity,
        severity: Severity::High,
        attack: &["TA0001", "T1566"],
        false_positive: 30,
        actions: &[Action::CreateTicket],
        advice: &[(
            "Remove the message from all mailboxes, and find out who opened it.",
            "Retirer le message de toutes les boîtes, et déterminer qui l’a ouvert.",
        )],
        phase: Some(Phase::InitialAccess),
    },
    Kind {
        name: "unusual_login",
        words: &["login", "logon", "sign in", "connexion", "impossible travel"],
        category: Category::SuspiciousActivity,
        severity: Severity::Low,
        attack: &["TA0001", "T1078"],
        false_positive: 55,
        actions: &[Action::Monitor],
        advice: &[(
            "Ask the owner of the account whether it was him.",
            "Demander au titulaire du compte si c’était lui.",
        )],
        phase: Some(Phase::InitialAccess),
    },
    Kind {
        name: "harvest",
        words: &["harvest", "collecte", "collection", "staging"],
        category: Category::Exfiltration,
        severity: Severity::High,
        attack: &["TA0009", "T1119"],
        false_positive: 30,
        actions: &[Action::CreateTicket, Action::Escalate],
        advice: &[(
            "Find out what was gathered, and where it lies now.",
            "Déterminer ce qui a été rassemblé, et où cela se trouve.",
        )],
        phase: Some(Phase::Collection),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack;

    #[test]
    fn every_kind_names_real_techniques_and_acts() {
        for kind in KINDS.iter().chain([&OTHER]) {
            for id in kind.attack {
                let known = attack::tactic(id).is_some() || attack::technique(id).is_some();
                assert!(known, "{}: {id}", kind.name);
            }
            assert!(!kind.actions.is_empty() && !kind.advice.is_empty(), "{}", kind.name);
            assert!(kind.advice.iter().all(|(en, fr)| !en.is_empty() && !fr.contains('\'')));
        }
    }

    #[test]
    fn knows_the_reference_alerts_by_their_types() {
        for (text, expected) in [
            ("Port Scan", "port_scan"),
            ("SSH_BRUTE_FORCE", "brute_force"),
            ("lateral-movement", "lateral_movement"),
            ("Data Exfiltration", "exfiltration"),
            ("SQL Injection", "sql_injection"),
            ("Command Execution", "execution"),
            ("Anomalous API Activity", "api_abuse"),
            ("Credential Harvesting", "credential_access"),
            ("Balayage de ports", "port_scan"),
            ("malware_hash_detected", "malware"),
            ("dns_query_suspicious", "command_and_control"),
            ("login_success_unusual", "unusual_login"),
            ("ssh_failed", "brute_force"),
            ("http_anomaly", "web_attack"),
        ] {
            assert_eq!(of(text).map(|kind| kind.name), Some(expected), "{text}");
        }
        assert!(of("coffee machine empty").is_none());
    }
}
