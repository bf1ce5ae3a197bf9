//! What people should do, by what ATT&CK calls it, for rules whose author says nothing.

/// Technique (its sub-techniques with it) or tactic, and the advice in English and French. The more
/// particular ones first: the first that fits is taken.
const ADVICE: [(&str, &str, &str); 34] = [
    (
        "T1110",
        "Block the source, check that no attempt succeeded, and allow keys or a second factor only.",
        "Bloquer la source, vérifier qu’aucune tentative n’a abouti, et n’autoriser que les clés ou un second facteur.",
    ),
    (
        "T1078",
        "Ask the account's owner about the login; if in doubt end its sessions and change its secrets.",
        "Interroger le titulaire du compte sur cette connexion ; au moindre doute, fermer ses sessions et changer ses secrets.",
    ),
    (
        "T1190",
        "Look at what the server answered, update the application, and look for files that appeared since.",
        "Examiner les réponses du serveur, mettre l’application à jour et chercher les fichiers apparus depuis.",
    ),
    (
        "T1505.003",
        "Take the file off the web server, keep a copy, and look for who wrote it and what it was asked to do.",
        "Retirer le fichier du serveur web en en gardant une copie, puis chercher qui l’a écrit et ce qui lui a été demandé.",
    ),
    (
        "T1059",
        "Find out who started the interpreter, from where, and what the whole command did.",
        "Déterminer qui a lancé l’interpréteur, d’où, et ce que la commande complète a fait.",
    ),
    (
        "T1053",
        "Look at the scheduled task and who made it; disable it until it is explained.",
        "Examiner la tâche planifiée et son auteur ; la désactiver tant qu’elle n’est pas expliquée.",
    ),
    (
        "T1543",
        "Look at the service's program and who installed it; stop it until it is explained.",
        "Examiner le programme du service et qui l’a installé ; l’arrêter tant qu’il n’est pas expliqué.",
    ),
    (
        "T1547",
        "Look at what starts with the machine or a login, and remove what nobody knows.",
        "Examiner ce qui démarre avec la machine ou une session, et retirer ce que personne ne connaît.",
    ),
    (
        "T1136",
        "Lock the new account until somebody answers for it.",
        "Verrouiller le nouveau compte tant que personne n’en répond.",
    ),
    (
        "T1098",
        "Take the new rights back until somebody answers for them.",
        "Retirer les nouveaux droits tant que personne n’en répond.",
    ),
    (
        "T1548",
        "Find out what was run with the raised rights, and by whom.",
        "Déterminer ce qui a été exécuté avec les droits élevés, et par qui.",
    ),
    (
        "T1068",
        "Update what was attacked, and treat the machine as taken until shown otherwise.",
        "Mettre à jour ce qui a été attaqué, et considérer la machine comme compromise jusqu’à preuve du contraire.",
    ),
    (
        "T1055",
        "Keep the machine's memory before it is switched off, then isolate it.",
        "Conserver la mémoire de la machine avant de l’éteindre, puis l’isoler.",
    ),
    (
        "T1003",
        "Change every secret that this machine has known, administrators' first.",
        "Changer tous les secrets que cette machine a connus, ceux des administrateurs d’abord.",
    ),
    (
        "T1552",
        "Change the secrets that stood in the files read.",
        "Changer les secrets présents dans les fichiers lus.",
    ),
    (
        "T1070",
        "Take what is left of the logs from elsewhere: they were removed for a reason.",
        "Récupérer ailleurs ce qui reste des journaux : on ne les a pas effacés sans raison.",
    ),
    (
        "T1562",
        "Switch the protection on again, and look at what happened while it was off.",
        "Réactiver la protection, et examiner ce qui s’est passé pendant son arrêt.",
    ),
    (
        "T1021",
        "Isolate the machine that the movement starts from, and look at where the account went next.",
        "Isoler la machine d’où part le déplacement, et suivre où le compte est allé ensuite.",
    ),
    (
        "T1550",
        "Reset the account's secrets, tickets and tokens too.",
        "Renouveler les secrets du compte, tickets et jetons compris.",
    ),
    (
        "T1046",
        "Check which of the ports found should be open at all.",
        "Vérifier quels ports trouvés doivent réellement être ouverts.",
    ),
    (
        "T1595",
        "Look at what was found, and close what need not be seen from outside.",
        "Examiner ce qui a été trouvé, et fermer ce qui n’a pas à être visible de l’extérieur.",
    ),
    (
        "T1105",
        "Keep the file that came in, find out what started it, and block where it came from.",
        "Conserver le fichier reçu, déterminer ce qui l’a lancé, et bloquer sa provenance.",
    ),
    (
        "T1071",
        "Block the other side, and look for who else speaks to it.",
        "Bloquer l’autre extrémité, et chercher qui d’autre lui parle.",
    ),
    (
        "T1048",
        "Cut the machine off, and find out which data left and whom you must tell.",
        "Couper la machine du réseau, et déterminer quelles données sont sorties et qui doit être informé.",
    ),
    (
        "T1041",
        "Cut the machine off, and find out which data left and whom you must tell.",
        "Couper la machine du réseau, et déterminer quelles données sont sorties et qui doit être informé.",
    ),
    (
        "T1486",
        "Cut off all machines concerned, keep the backups offline, and do not pay before asking for help.",
        "Couper toutes les machines concernées, garder les sauvegardes hors ligne, et ne pas payer avant d’avoir demandé de l’aide.",
    ),
    (
        "TA0001",
        "Find out how far the attempt came, and close the way in.",
        "Déterminer jusqu’où la tentative est allée, et fermer l’accès.",
    ),
    (
        "TA0002",
        "Find out what was run, by whom, and what it started.",
        "Déterminer ce qui a été exécuté, par qui, et ce que cela a lancé.",
    ),
    (
        "TA0003",
        "Look for other ways to stay that were set up at the same time.",
        "Chercher les autres moyens de rester mis en place au même moment.",
    ),
    (
        "TA0006",
        "Change the secrets concerned, and look for their use since.",
        "Changer les secrets concernés, et chercher leur usage depuis.",
    ),
    (
        "TA0007",
        "Look at what was asked about next: it is what the attacker wants.",
        "Examiner ce qui a été cherché ensuite : c’est ce que veut l’attaquant.",
    ),
    (
        "TA0008",
        "Isolate the machine that the movement starts from.",
        "Isoler la machine d’où part le déplacement.",
    ),
    (
        "TA0011",
        "Block the other side, and isolate the machine that speaks to it.",
        "Bloquer l’autre extrémité, et isoler la machine qui lui parle.",
    ),
    (
        "TA0040",
        "Cut off the machines concerned, and check that the backups can be read.",
        "Couper les machines concernées, et vérifier que les sauvegardes sont lisibles.",
    ),
];

/// The advice for a technique, else for its main technique, else for the tactic (`TA0006`).
pub fn of(technique: &str, tactic: &str) -> Option<(&'static str, &'static str)> {
    let main = technique.split_once('.').map_or(technique, |(main, _)| main);
    let named = |id: &str| {
        let found = ADVICE.iter().find(|(known, ..)| *known == id);
        found.map(|(_, en, fr)| (*en, *fr)).filter(|_| !id.is_empty())
    };
    named(technique).or_else(|| named(main)).or_else(|| named(tactic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack;

    #[test]
    fn every_row_is_of_the_table_and_in_both_languages() {
        for (place, (id, en, fr)) in ADVICE.iter().enumerate() {
            assert!(attack::technique(id).is_some() || attack::tactic(id).is_some(), "{id}");
            assert!(ADVICE[..place].iter().all(|(other, ..)| other != id), "{id} twice");
            assert!(en.ends_with('.') && fr.ends_with('.') && en != fr, "{id}");
        }
    }

    #[test]
    fn the_most_particular_advice_is_given() {
        assert!(of("T1110.001", "TA0006").unwrap().0.contains("second factor"));
        assert!(of("T1505.003", "TA0003").unwrap().0.contains("web server"));
        assert_eq!(of("T1505.001", "TA0003"), of("", "TA0003"));
        assert_eq!(of("T9999", "TA9999"), None);
    }
}
