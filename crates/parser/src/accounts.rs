//! useradd, usermod, userdel, groupadd, gpasswd, passwd and their family: who may be on the
//! machine.

use vigie_event::{FieldId, field};

use crate::line::{Known, Line, Outcome};
use crate::{logsources, pam, text};

const KNOWN: Known = Known::event("accounts", logsources::ACCOUNTS);

/// Reads a message of any of the family.
pub fn parse(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    if let Some(known) = pam::parse(line, message) {
        return Some(known);
    }
    let message = message.trim_end();
    let (action, kind) = users(line, message)
        .or_else(|| membership(line, message))
        .or_else(|| groups(line, message))
        .or_else(|| passwords(line, message))?;
    let outcome = if action.ends_with("_failed") { Outcome::Failure } else { Outcome::Success };
    line.action(action, "iam", kind, outcome);
    Some(KNOWN)
}

type Found = Option<(&'static str, &'static str)>;

fn users(line: &mut Line<'_, '_>, message: &str) -> Found {
    if let Some(rest) = text::after(message, "new user: ") {
        // `name=<user>, UID=<n>, GID=<n>, home=<path>, shell=<path>[, from=<tty>]`
        setting(line, rest, "name=", &[field::USER_NAME, field::USER_TARGET_NAME]);
        setting(line, rest, "UID=", &[field::USER_ID]);
        setting(line, rest, "GID=", &[field::GROUP_ID]);
        setting(line, rest, "from=", &[field::PROCESS_TTY]);
        return Some(("user_created", "creation"));
    }
    if let Some(rest) = text::after(message, "failed adding user ") {
        target(line, text::quoted(rest)?.0);
        return Some(("user_creation_failed", "creation"));
    }
    if let Some(rest) = text::after(message, "delete user ") {
        target(line, text::quoted(rest)?.0);
        return Some(("user_deleted", "deletion"));
    }
    for start in [
        "change user name ",
        "change user ",
        "changed user ",
        "lock user ",
        "unlock user ",
        "lock account ",
        "unlock account ",
    ] {
        if let Some(rest) = message.strip_prefix(start) {
            target(line, text::quoted(rest)?.0);
            return Some(("user_changed", "change"));
        }
    }
    None
}

fn membership(line: &mut Line<'_, '_>, message: &str) -> Found {
    // usermod and useradd: `add '<user>' to [shadow ]group '<group>'`; userdel: `delete '<user>'
    // from [shadow ]group '<group>'`
    for (start, joint, action, kind) in [
        ("add ", " to ", "group_member_added", "change"),
        ("delete ", " from ", "group_member_removed", "change"),
    ] {
        let Some(rest) = message.strip_prefix(start) else { continue };
        let Some((user, rest)) = text::quoted(rest) else { continue };
        let Some(rest) = rest.strip_prefix(joint) else { continue };
        let rest = text::after(rest, "shadow ").unwrap_or(rest);
        let Some(rest) = text::after(rest, "group ") else { continue };
        let (group, _) = text::quoted(rest)?;
        target(line, user);
        line.fields.text(field::GROUP_NAME, group);
        return Some((action, kind));
    }
    // gpasswd: `user <user> added by <actor> to group <group>`
    if let Some(rest) = text::after(message, "user ") {
        let (user, rest) = text::quoted(rest).unwrap_or_else(|| text::word(rest));
        for (verb, joint, action) in [
            ("added by ", " to group ", "group_member_added"),
            ("removed by ", " from group ", "group_member_removed"),
        ] {
            if let Some(rest) = rest.trim_start().strip_prefix(verb) {
                let (actor, group) = rest.split_once(joint)?;
                line.fields.text(field::USER_TARGET_NAME, user);
                line.fields.text(field::USER_NAME, unquoted(actor));
                line.fields.text(field::GROUP_NAME, unquoted(group));
                return Some((action, "change"));
            }
        }
        return None;
    }
    // `members of group <group> set by <actor> to <users>`
    if let Some(rest) = text::after(message, "members of group ") {
        let (group, rest) = text::split_at(rest, " set by ")?;
        let (actor, users) = text::split_at(rest, " to ")?;
        line.fields.text(field::GROUP_NAME, unquoted(group));
        line.fields.text(field::USER_NAME, unquoted(actor));
        line.fields.text(field::USER_TARGET_NAME, users);
        return Some(("group_member_added", "change"));
    }
    None
}

fn groups(line: &mut Line<'_, '_>, message: &str) -> Found {
    if let Some(rest) = text::after(message, "new group: ") {
        setting(line, rest, "name=", &[field::GROUP_NAME]);
        setting(line, rest, "GID=", &[field::GROUP_ID]);
        return Some(("group_created", "creation"));
    }
    // The file that a change went to, which the tools write besides the change itself.
    for start in ["group added to ", "group deleted from ", "group changed in "] {
        if let Some(rest) = message.strip_prefix(start) {
            let (file, rest) = text::split_at(rest, ": ").unwrap_or((rest, ""));
            line.fields.text(field::FILE_PATH, file);
            setting(line, rest, "name=", &[field::GROUP_NAME]);
            setting(line, rest, "GID=", &[field::GROUP_ID]);
            return Some(("group_file_changed", "change"));
        }
    }
    for start in ["removed group ", "removed shadow group "] {
        if let Some(rest) = message.strip_prefix(start) {
            line.fields.text(field::GROUP_NAME, text::quoted(rest)?.0);
            let shadow = start == "removed shadow group ";
            return Some((if shadow { "group_file_changed" } else { "group_deleted" }, "deletion"));
        }
    }
    if let Some(rest) = text::after(message, "group ") {
        let (group, rest) = text::quoted(rest)?;
        rest.trim_start().strip_prefix("removed")?;
        line.fields.text(field::GROUP_NAME, group);
        let file = rest.contains(" from /");
        return Some((if file { "group_file_changed" } else { "group_deleted" }, "deletion"));
    }
    let rest = text::after(message, "change group ")?;
    line.fields.text(field::GROUP_NAME, text::quoted(rest)?.0);
    Some(("group_changed", "change"))
}

fn passwords(line: &mut Line<'_, '_>, message: &str) -> Found {
    for start in ["password for ", "password of "] {
        // `password for <user> changed by <actor>`
        if let Some(rest) = message.strip_prefix(start) {
            let (user, rest) = text::quoted(rest).unwrap_or_else(|| text::word(rest));
            let actor = rest.trim_start().strip_prefix("changed by ")?;
            line.fields.text(field::USER_TARGET_NAME, user);
            line.fields.text(field::USER_NAME, unquoted(actor));
            return Some(("password_changed", "change"));
        }
    }
    if let Some(rest) = text::after(message, "changed password expiry for ") {
        target(line, unquoted(rest));
        return Some(("user_changed", "change"));
    }
    let rest = text::after(message, "failed to change password for ")?;
    target(line, unquoted(rest));
    Some(("password_change_failed", "change"))
}

/// The account that it is about. The tools do not tell who used them.
fn target(line: &mut Line<'_, '_>, user: &str) {
    line.fields.text(field::USER_NAME, user);
    line.fields.text(field::USER_TARGET_NAME, user);
}

fn setting(line: &mut Line<'_, '_>, rest: &str, name: &str, ids: &[FieldId]) {
    let Some(value) = rest.split(", ").find_map(|part| part.strip_prefix(name)) else { return };
    for id in ids {
        line.fields.text(*id, value);
    }
}

fn unquoted(text: &str) -> &str {
    text.trim_matches('\'')
}
