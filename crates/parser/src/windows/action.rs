//! What a Windows event tells: `event.action` and what goes with it.

use super::Event;
use super::ecs::wanted;
use crate::line::Outcome;

/// What an event tells.
pub struct Action {
    pub name: &'static str,
    pub category: &'static str,
    pub kind: &'static str,
    pub outcome: Outcome,
}

const fn told(name: &'static str, category: &'static str, kind: &'static str) -> Action {
    Action { name, category, kind, outcome: Outcome::None }
}

const fn ended(
    name: &'static str,
    category: &'static str,
    kind: &'static str,
    success: bool,
) -> Action {
    let outcome = if success { Outcome::Success } else { Outcome::Failure };
    Action { name, category, kind, outcome }
}

const OTHER: Action = told("windows_event", "host", "info");

/// What an event of `service` with this id tells.
pub fn of(service: Option<&str>, code: i64, event: &Event<'_>) -> Action {
    match service {
        Some("security") => security(code, event),
        Some("sysmon") => sysmon(code),
        Some("system") => match code {
            104 => told("log_cleared", "iam", "deletion"),
            7_045 => told("service_installed", "configuration", "creation"),
            _ => OTHER,
        },
        Some("powershell") => match code {
            4_103 => told("powershell_module", "process", "info"),
            4_104 => told("powershell_script", "process", "info"),
            _ => OTHER,
        },
        Some("windefend") => match code {
            1_006 | 1_007 | 1_116 | 1_117 => told("malware_detected", "malware", "info"),
            _ => OTHER,
        },
        _ => OTHER,
    }
}

fn security(code: i64, event: &Event<'_>) -> Action {
    // Status codes of Kerberos and NTLM: 0 is success.
    let went_well = || event.number(wanted().status).is_none_or(|status| status == 0);
    match code {
        1_102 => told("log_cleared", "iam", "deletion"),
        4_624 | 4_648 => ended("windows_logon", "authentication", "start", true),
        4_625 => ended("windows_logon", "authentication", "start", false),
        4_776 => ended("windows_logon", "authentication", "start", went_well()),
        4_634 | 4_647 => told("windows_logoff", "authentication", "end"),
        4_672 => told("windows_admin_logon", "iam", "admin"),
        4_688 => told("process_started", "process", "start"),
        4_689 => told("process_ended", "process", "end"),
        4_697 => told("service_installed", "configuration", "creation"),
        4_698 => told("scheduled_task_created", "configuration", "creation"),
        4_720 => told("user_created", "iam", "creation"),
        4_722 | 4_725 | 4_738 | 4_781 => told("user_changed", "iam", "change"),
        4_723 | 4_724 => told("password_changed", "iam", "change"),
        4_726 => told("user_deleted", "iam", "deletion"),
        4_727 | 4_731 | 4_754 => told("group_created", "iam", "creation"),
        4_730 | 4_734 | 4_758 => told("group_deleted", "iam", "deletion"),
        4_728 | 4_732 | 4_756 => told("group_member_added", "iam", "change"),
        4_729 | 4_733 | 4_757 => told("group_member_removed", "iam", "change"),
        4_740 => told("account_locked", "iam", "change"),
        4_768 | 4_769 => ended("kerberos_ticket", "authentication", "start", went_well()),
        4_771 => ended("kerberos_ticket", "authentication", "start", false),
        _ => OTHER,
    }
}

fn sysmon(code: i64) -> Action {
    match code {
        1 => told("process_started", "process", "start"),
        3 => told("network_connection", "network", "connection"),
        5 => told("process_ended", "process", "end"),
        6 => told("driver_loaded", "driver", "start"),
        7 => told("image_loaded", "library", "start"),
        8 => told("remote_thread_created", "process", "change"),
        10 => told("process_accessed", "process", "access"),
        11 | 15 => told("file_created", "file", "creation"),
        12..=14 => told("registry_changed", "registry", "change"),
        17 | 18 => told("pipe_event", "process", "info"),
        19..=21 => told("wmi_event", "process", "info"),
        22 => told("dns_query", "network", "protocol"),
        23 | 26 => told("file_deleted", "file", "deletion"),
        _ => OTHER,
    }
}
