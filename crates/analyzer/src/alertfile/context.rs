//! What stands around an alert: which program, under whose account, started by what, to do what.
//!
//! A detection tool sees one event; whether it is an attack is told by its circumstances. Each
//! circumstance is worth fixed points; they are judgement, checked against labelled alerts
//! (`benches/README.md`).

use super::alert::{ReadAlert, path_of};
use super::encoded;

/// A circumstance: English, French, points of confidence, points of false positive.
pub(super) type Circumstance = (&'static str, &'static str, i32, i32);

const IMAGES: [&str; 6] = [
    "data.win.eventdata.image",
    "data.win.eventdata.sourceImage",
    "winlog.event_data.Image",
    "process.executable",
    "Image",
    "process_path",
];
const PARENTS: [&str; 5] = [
    "data.win.eventdata.parentImage",
    "winlog.event_data.ParentImage",
    "process.parent.executable",
    "ParentImage",
    "parent_process",
];
const COMMANDS: [&str; 7] = [
    "data.win.eventdata.commandLine",
    "data.win.eventdata.scriptBlockText",
    "winlog.event_data.CommandLine",
    "process.command_line",
    "CommandLine",
    "command",
    "cmdline",
];
const ACCOUNTS: [&str; 5] =
    ["data.win.eventdata.user", "winlog.event_data.User", "user.name", "User", "user"];
const FILES: [&str; 5] = [
    "data.win.eventdata.targetFilename",
    "winlog.event_data.TargetFilename",
    "file.path",
    "TargetFilename",
    "syscheck.path",
];
const MODULES: [&str; 3] =
    ["data.win.eventdata.imageLoaded", "winlog.event_data.ImageLoaded", "ImageLoaded"];
const KEYS: [&str; 3] =
    ["data.win.eventdata.targetObject", "winlog.event_data.TargetObject", "TargetObject"];

/// Folders that only the system and its updates write to.
const SYSTEM_FOLDERS: [&str; 8] = [
    "\\windows\\system32\\",
    "\\windows\\syswow64\\",
    "\\windows\\microsoft.net\\",
    "\\windows\\softwaredistribution\\",
    "\\windows\\uus\\",
    "\\windows\\winsxs\\",
    "\\windows\\servicing\\",
    "\\program files",
];

/// Programs of the system that attackers use, since they are there already.
const HANDY: [&str; 32] = [
    "bitsadmin.exe",
    "certutil.exe",
    "cmd.exe",
    "cscript.exe",
    "curl.exe",
    "find.exe",
    "findstr.exe",
    "hostname.exe",
    "mshta.exe",
    "net.exe",
    "net1.exe",
    "netsh.exe",
    "nltest.exe",
    "powershell.exe",
    "pwsh.exe",
    "qwinsta.exe",
    "quser.exe",
    "reg.exe",
    "regsvr32.exe",
    "rundll32.exe",
    "sc.exe",
    "schtasks.exe",
    "systeminfo.exe",
    "tasklist.exe",
    "whoami.exe",
    "wmic.exe",
    "wscript.exe",
    "python.exe",
    "ipconfig.exe",
    "vssadmin.exe",
    "msbuild.exe",
    "installutil.exe",
];

/// Programs that start what is written to them.
const SHELLS: [&str; 8] = [
    "cmd.exe",
    "powershell.exe",
    "pwsh.exe",
    "wscript.exe",
    "cscript.exe",
    "mshta.exe",
    "winword.exe",
    "excel.exe",
];

/// Fetching from elsewhere, looking around, taking credentials.
pub(super) const DEEDS: [&str; 24] = [
    "downloadstring",
    "downloadfile",
    "invoke-webrequest",
    "iwr ",
    "iex",
    "invoke-expression",
    "http://",
    "https://",
    "net user",
    "net group",
    "net use",
    "domain_trusts",
    "trusted_domains",
    "/domain",
    "whoami",
    "useraccount",
    "lsass",
    "sekurlsa",
    "frombase64string",
    "invoke-command",
    "createthread",
    "virtualalloc",
    "comsvcs",
    "/etc/shadow",
];

/// Names of attackers' tools, in files, commands and signatures.
const OFFENSIVE: [&str; 18] = [
    "kali",
    "bloodhound",
    "sharphound",
    "adfind",
    "mimikatz",
    "rubeus",
    "seatbelt",
    "impacket",
    "metasploit",
    "meterpreter",
    "cobalt strike",
    "cobaltstrike",
    "atomicredteam",
    "atomic-red-team",
    "lazagne",
    "powersploit",
    "crackmapexec",
    "responder.py",
];

/// What looks bad and is not: probes of the system itself, test files, clean results. Looked for in
/// the name that the tool gives its alert alone: an attacker writes the rest.
const HARMLESS: [&str; 6] =
    ["__psscriptpolicytest_", "eicar", "no positives", "0 positives", "test file", "desktop.ini"];

/// Endings of programs.
const PROGRAMS: [&str; 9] = [".exe", ".dll", ".ps1", ".bat", ".vbs", ".js", ".scr", ".hta", ".sys"];

/// What the circumstances of `alert` say, beside its kind, whose name is `kind`.
pub(super) fn of(alert: &ReadAlert, kind: &str) -> Vec<Circumstance> {
    let text = |names: &[&str]| {
        let value = names.iter().find_map(|name| path_of(&alert.fields, name));
        value.map(|value| value.to_lowercase().replace("\\\\", "\\")).unwrap_or_default()
    };
    let (image, parent, command) = (text(&IMAGES), text(&PARENTS), text(&COMMANDS));
    let (account, file, module, key) = (text(&ACCOUNTS), text(&FILES), text(&MODULES), text(&KEYS));
    let original = COMMANDS.iter().find_map(|name| path_of(&alert.fields, name));
    let name = alert.name.as_deref().unwrap_or_default().to_lowercase();
    let says = alert.description.as_deref().unwrap_or_default().to_lowercase();
    let all = [&name, &says, &command, &file, &image, &key];
    let any = |words: &[&str]| all.iter().any(|text| words.iter().any(|word| text.contains(word)));

    let in_system = SYSTEM_FOLDERS.iter().any(|folder| image.contains(folder));
    let handy = is_one_of(&image, &HANDY);
    let by_system = ["system", "network service", "local service", "réseau", "système"]
        .iter()
        .any(|end| account.ends_with(end));
    let by_person = !account.is_empty() && !by_system && !account.ends_with('$');
    let by_shell = is_one_of(&parent, &SHELLS);
    let service = key.contains("\\services\\") || name.contains("service creat");

    let decoded = original.map(encoded::commands).unwrap_or_default();
    // Each of them: a decoy must not vouch for the command beside it.
    let plain = !decoded.is_empty()
        && decoded.iter().all(|text| {
            text.as_ref().is_some_and(|text| !DEEDS.iter().any(|deed| text.contains(deed)))
        });
    let mut found = Vec::new();
    let mut add = |holds: bool, circumstance: Circumstance| {
        if holds {
            found.push(circumstance);
        }
    };
    let harmless = HARMLESS.iter().any(|word| name.contains(word));
    add(
        harmless,
        (
            "It is about a test file, a probe of the system itself or a clean result",
            "Il s’agit d’un fichier de test, d’une sonde du système lui-même ou d’un résultat sain",
            5,
            50,
        ),
    );
    add(
        plain,
        (
            "The encoded command was decoded and shows nothing known of attackers",
            "La commande encodée, une fois décodée, ne montre rien de connu des attaquants",
            5,
            15,
        ),
    );
    add(
        in_system && by_system && !service,
        (
            "A part of the system at work under the system’s own account",
            "Un composant du système au travail sous le compte du système",
            5,
            30,
        ),
    );
    add(
        in_system && !handy && !module.is_empty(),
        (
            "A program of the system loads a module",
            "Un programme du système charge un module",
            0,
            35,
        ),
    );
    add(
        by_person && by_shell && handy && !plain,
        (
            "A shell or script started it under a person’s account",
            "Lancé par un interpréteur de commandes ou un script, sous le compte d’une personne",
            10,
            -30,
        ),
    );
    let drops = handy && PROGRAMS.iter().any(|end| file.ends_with(end)) && !harmless;
    add(
        drops,
        (
            "A program of the system that attackers use wrote a program",
            "Un programme du système prisé des attaquants a écrit un programme",
            5,
            -25,
        ),
    );
    let decoded_has = |deed| decoded.iter().flatten().any(|text| text.contains(deed));
    let does = DEEDS.iter().any(|deed| command.contains(deed) || decoded_has(deed));
    add(
        does,
        (
            "The command fetches from elsewhere, looks around or reaches for credentials",
            "La commande télécharge, explore ou cherche des identifiants",
            10,
            -20,
        ),
    );
    add(
        any(&OFFENSIVE),
        ("It names a tool of attackers", "Un outil d’attaquant y est nommé", 10, -50),
    );
    let own = service && is_per_user(&key);
    add(
        own,
        (
            "Windows makes such services for each session",
            "Windows crée ces services à chaque session",
            5,
            25,
        ),
    );
    add(
        service && !own,
        ("A new service is a way to stay", "Un nouveau service est un moyen de rester", 5, -15),
    );
    let loopback = |value: &Option<String>| {
        value.as_deref().is_some_and(|value| {
            matches!(value, "::1" | "0:0:0:0:0:0:0:1") || value.starts_with("127.")
        })
    };
    add(
        loopback(&alert.source) && (alert.target.is_none() || loopback(&alert.target)),
        ("The machine speaks to itself", "La machine se parle à elle-même", 0, 20),
    );
    let many = [
        "multiple",
        "brute",
        "several",
        "many",
        "repeated",
        "spray",
        "attempts",
        "tentatives",
        "stuff",
    ];
    let one = !many.iter().any(|word| name.contains(word))
        && !["invalid user", "non-existent", "nonexistent"]
            .iter()
            .any(|word| all.iter().any(|text| text.contains(word)))
        && !name.contains("failures");
    add(
        one && matches!(kind, "brute_force" | "unusual_login") && is_failure(&name),
        (
            "One failed login: people mistype",
            "Une seule connexion refusée : on se trompe en tapant",
            0,
            35,
        ),
    );
    let routine = kind == "privilege_escalation"
        && ["sudo", "special privileges"].iter().any(|word| name.contains(word))
        && !["fail", "denied", "not in sudoers", "exploit"].iter().any(|word| name.contains(word));
    add(
        routine,
        ("Administrators do this every day", "Les administrateurs le font tous les jours", 0, 35),
    );
    add(
        // A description quotes what others wrote; the name is the rule's.
        name.contains(" info ") || name.contains("informational"),
        ("Its author calls it information", "Son auteur la dit informative", 0, 25),
    );
    found
}

fn is_failure(name: &str) -> bool {
    ["fail", "bad password", "échec", "echec", "refus"].iter().any(|word| name.contains(word))
}

/// Whether the path ends in one of these programs.
fn is_one_of(path: &str, programs: &[&str]) -> bool {
    let name = path.rsplit(['\\', '/']).next().unwrap_or_default();
    programs.contains(&name)
}

/// `…\Services\NAME_1d14aa\…`: Windows adds the session's number to a service of its own.
fn is_per_user(key: &str) -> bool {
    let name = key.split("\\services\\").nth(1).and_then(|rest| rest.split('\\').next());
    name.and_then(|name| name.rsplit_once('_')).is_some_and(|(_, end)| {
        (4..=8).contains(&end.len()) && end.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}
