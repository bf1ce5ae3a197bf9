//! Sigma's logsources of Windows events (appendix "Taxonomy" of the Sigma specification 2.1).

use std::sync::{LazyLock, PoisonError, RwLock};

use vigie_event::{Logsource, Logsources};

const WINDOWS: &str = "windows";

/// Sigma's services by channel.
const SERVICES: &[(&str, &str)] = &[
    ("Application", "application"),
    ("DNS Server", "dns-server"),
    ("MSExchange Management", "msexchange-management"),
    ("Microsoft-IIS-Configuration/Operational", "iis-configuration"),
    ("Microsoft-ServiceBus-Client/Admin", "servicebus-client"),
    ("Microsoft-ServiceBus-Client/Operational", "servicebus-client"),
    ("Microsoft-Windows-AppLocker/EXE and DLL", "applocker"),
    ("Microsoft-Windows-AppLocker/MSI and Script", "applocker"),
    ("Microsoft-Windows-AppLocker/Packaged app-Deployment", "applocker"),
    ("Microsoft-Windows-AppLocker/Packaged app-Execution", "applocker"),
    ("Microsoft-Windows-AppModel-Runtime/Admin", "appmodel-runtime"),
    ("Microsoft-Windows-AppXDeploymentServer/Operational", "appxdeployment-server"),
    (
        "Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant",
        "application-experience",
    ),
    ("Microsoft-Windows-Application-Experience/Program-Telemetry", "application-experience"),
    ("Microsoft-Windows-AppxPackaging/Operational", "appxpackaging-om"),
    ("Microsoft-Windows-BitLocker/BitLocker Management", "bitlocker"),
    ("Microsoft-Windows-Bits-Client/Operational", "bits-client"),
    ("Microsoft-Windows-CAPI2/Operational", "capi2"),
    (
        "Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational",
        "certificateservicesclient-lifecycle-system",
    ),
    ("Microsoft-Windows-CodeIntegrity/Operational", "codeintegrity-operational"),
    ("Microsoft-Windows-DHCP-Server/Operational", "dhcp"),
    ("Microsoft-Windows-DNS Client Events/Operational", "dns-client"),
    ("Microsoft-Windows-DNS-Client/Operational", "dns-client"),
    ("Microsoft-Windows-DNS-Server/Analytical", "dns-server-analytic"),
    ("Microsoft-Windows-DNS-Server/Audit", "dns-server-audit"),
    ("Microsoft-Windows-Diagnosis-Scripted/Operational", "diagnosis-scripted"),
    ("Microsoft-Windows-DriverFrameworks-UserMode/Operational", "driver-framework"),
    ("Microsoft-Windows-Hyper-V-Worker", "hyper-v-worker"),
    ("Microsoft-Windows-Kernel-EventTracing", "kernel-event-tracing"),
    ("Microsoft-Windows-Kernel-ShimEngine/Diagnostic", "kernel-shimengine"),
    ("Microsoft-Windows-Kernel-ShimEngine/Operational", "kernel-shimengine"),
    ("Microsoft-Windows-LDAP-Client/Debug", "ldap"),
    ("Microsoft-Windows-LSA/Operational", "lsa-server"),
    ("Microsoft-Windows-NTLM/Operational", "ntlm"),
    ("Microsoft-Windows-Ntfs/Operational", "ntfs"),
    ("Microsoft-Windows-PowerShell/Operational", "powershell"),
    ("Microsoft-Windows-PrintService/Admin", "printservice-admin"),
    ("Microsoft-Windows-PrintService/Operational", "printservice-operational"),
    ("Microsoft-Windows-SENSE/Operational", "sense"),
    ("Microsoft-Windows-Security-Mitigations/Kernel Mode", "security-mitigations"),
    ("Microsoft-Windows-Security-Mitigations/User Mode", "security-mitigations"),
    ("Microsoft-Windows-Shell-Core/Operational", "shell-core"),
    ("Microsoft-Windows-SmbClient/Connectivity", "smbclient-connectivity"),
    ("Microsoft-Windows-SMBServer/Connectivity", "smbserver-connectivity"),
    ("Microsoft-Windows-SmbClient/Security", "smbclient-security"),
    ("Microsoft-Windows-Sysmon/Operational", "sysmon"),
    ("Microsoft-Windows-TaskScheduler/Operational", "taskscheduler"),
    (
        "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
        "terminalservices-localsessionmanager",
    ),
    ("Microsoft-Windows-VHDMP/Operational", "vhdmp"),
    ("Microsoft-Windows-WMI-Activity/Operational", "wmi"),
    ("Microsoft-Windows-Windows Defender/Operational", "windefend"),
    ("Microsoft-Windows-Windows Firewall With Advanced Security/Firewall", "firewall-as"),
    ("OpenSSH/Operational", "openssh"),
    ("PowerShellCore/Operational", "powershell"),
    ("Security", "security"),
    ("System", "system"),
    ("Windows PowerShell", "powershell-classic"),
];

/// Sigma's service of a channel. Channels of forwarded and archived logs keep their names.
pub fn service(channel: &str) -> Option<&'static str> {
    SERVICES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(channel))
        .map(|(_, service)| *service)
}

/// Sigma's categories of an event of a service.
fn categories(service: &str, code: i64) -> &'static [&'static str] {
    match (service, code) {
        ("sysmon", 1) | ("security", 4_688) => &["process_creation"],
        ("sysmon", 2) => &["file_change"],
        ("sysmon", 3) => &["network_connection"],
        ("sysmon", 4 | 16) => &["sysmon_status"],
        ("sysmon", 5) => &["process_termination"],
        ("sysmon", 6) => &["driver_load"],
        ("sysmon", 7) => &["image_load"],
        ("sysmon", 8) => &["create_remote_thread"],
        ("sysmon", 9) => &["raw_access_thread"],
        ("sysmon", 10) => &["process_access"],
        ("sysmon", 11) => &["file_event"],
        ("sysmon", 12) => &["registry_event", "registry_add", "registry_delete"],
        ("sysmon", 13) => &["registry_event", "registry_set"],
        ("sysmon", 14) => &["registry_event", "registry_rename"],
        ("sysmon", 15) => &["create_stream_hash"],
        ("sysmon", 17 | 18) => &["pipe_created"],
        ("sysmon", 19..=21) => &["wmi_event"],
        ("sysmon", 22) => &["dns_query"],
        ("sysmon", 23) => &["file_delete"],
        ("sysmon", 24) => &["clipboard_capture"],
        ("sysmon", 25) => &["process_tampering"],
        ("sysmon", 26) => &["file_delete", "file_delete_detected"],
        ("sysmon", 27) => &["file_block_executable"],
        ("sysmon", 28) => &["file_block_shredding"],
        ("sysmon", 29) => &["file_executable_detected"],
        ("sysmon", 255) => &["sysmon_error"],
        ("powershell", 4_103) => &["ps_module"],
        ("powershell", 4_104) => &["ps_script"],
        ("powershell-classic", 400) => &["ps_classic_start"],
        ("powershell-classic", 600) => &["ps_classic_provider_start"],
        ("powershell-classic", 800) => &["ps_classic_script"],
        _ => &[],
    }
}

/// The highest event id that has a category.
const LAST_CODE: i64 = 4_688;

/// Every logsource that an event of Windows may have.
pub fn all() -> impl Iterator<Item = Logsource> {
    let of_service = |service: &'static str| {
        let categories = (0..=LAST_CODE).flat_map(move |code| categories(service, code));
        let of =
            move |category| Logsource { category, product: Some(WINDOWS), service: Some(service) };
        std::iter::once(of(None)).chain(categories.map(move |category| of(Some(*category))))
    };
    let services = SERVICES.iter().flat_map(move |(_, service)| of_service(service));
    std::iter::once(Logsource::product(WINDOWS)).chain(services)
}

type Kind = (Option<&'static str>, &'static [&'static str]);

/// The sets made so far. Both parts of a kind come from the tables above, so there are few.
static SETS: LazyLock<RwLock<Vec<(Kind, Logsources)>>> = LazyLock::new(RwLock::default);

/// The logsources of an event of `service` with this id.
pub fn of(service: Option<&'static str>, code: i64) -> Logsources {
    let categories = service.map_or(&[][..], |service| categories(service, code));
    let kind = (service, categories);
    let known = |sets: &[(Kind, Logsources)]| {
        sets.iter().find(|(known, _)| *known == kind).map(|(_, set)| *set)
    };
    if let Some(set) = known(&SETS.read().unwrap_or_else(PoisonError::into_inner)) {
        return set;
    }
    let mut sets = SETS.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(set) = known(&sets) {
        return set;
    }
    let of_windows = |category| Logsource { category, product: Some(WINDOWS), service };
    let mut set = vec![of_windows(None)];
    set.extend(categories.iter().map(|category| of_windows(Some(*category))));
    let set: Logsources = set.leak();
    sets.push((kind, set));
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_kind_has_the_same_set() {
        let sysmon = service("microsoft-windows-sysmon/operational");
        assert_eq!(sysmon, Some("sysmon"));
        let set = of(sysmon, 1);
        assert!(std::ptr::eq(set, of(sysmon, 1)));
        assert!(set.iter().any(|one| one.fits(Some("process_creation"), Some("windows"), None)));
        assert!(set.iter().any(|one| one.fits(None, Some("windows"), Some("sysmon"))));
        assert!(std::ptr::eq(of(None, 1), of(service("Somebody/Else"), 99)));
    }

    #[test]
    fn every_category_is_among_all() {
        for (service, code) in [("sysmon", 255), ("powershell", 4_104), ("security", 4_688)] {
            let set = of(Some(service), code);
            assert!(set.len() > 1, "{service} {code}");
            assert!(set.iter().all(|one| all().any(|known| known == *one)), "{service} {code}");
        }
        let beyond = (LAST_CODE + 1..70_000).flat_map(|code| {
            SERVICES.iter().flat_map(move |(_, service)| categories(service, code))
        });
        assert_eq!(beyond.count(), 0);
    }

    #[test]
    fn channels_stand_once() {
        let mut names: Vec<_> = SERVICES.iter().map(|(name, _)| name.to_lowercase()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), SERVICES.len());
    }
}
