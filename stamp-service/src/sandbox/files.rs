//! Which files can be opened, and which TCP ports listened on (Landlock).

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, make_bitflags,
};

use super::needs::Needs;

/// The newest rules that are asked for; a kernel that knows fewer keeps those it knows.
const RULES: ABI = ABI::V5;

/// What names, clocks, interfaces and certificates are looked up in.
const SYSTEM: [&str; 9] =
    ["/etc", "/proc", "/sys", "/usr", "/lib", "/lib64", "/run", "/dev/null", "/dev/urandom"];

/// Limits this thread, and those that it starts, to what is needed.
///
/// # Errors
///
/// Why the kernel limits nothing, or not everything.
pub(super) fn limit(needs: &Needs) -> Result<(), String> {
    restrict(needs).map_err(|error| error.to_string()).and_then(|status| match status {
        RulesetStatus::FullyEnforced => Ok(()),
        // What is missing are rules of newer kernels: about devices, or ports before 6.7.
        RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err("this kernel has no Landlock".to_owned()),
    })
}

/// Nothing at all.
///
/// # Errors
///
/// As [`limit`].
pub(super) fn none() -> Result<(), String> {
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(RULES)))
        .and_then(Ruleset::create)
        .and_then(RulesetCreated::restrict_self);
    rules.map(drop).map_err(|error| error.to_string())
}

fn restrict(needs: &Needs) -> Result<RulesetStatus, RulesetError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))?
        .handle_access(AccessNet::BindTcp)?
        .create()?;
    let reading = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    for folder in SYSTEM.iter().map(Path::new).chain(needs.readable.iter().map(AsRef::as_ref)) {
        rules = beneath(rules, folder, reading)?;
    }
    let writing =
        reading | make_bitflags!(AccessFs::{WriteFile | MakeReg | RemoveFile | Truncate | Refer});
    for folder in &needs.writable {
        rules = beneath(rules, folder, writing)?;
    }
    for port in &needs.tcp_ports {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
    }
    rules.restrict_self().map(|status| status.ruleset)
}

/// What is not there now cannot be allowed, and will not be missed before it is.
fn beneath(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(opened) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(RULES) };
    rules.add_rule(PathBeneath::new(opened, access))
}
