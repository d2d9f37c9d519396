//! Users and their passwords' hashes, as htpasswd files have them. What is wrong is told without a word of the text.

use std::collections::HashMap;

use crate::config::decode::Fault;
use crate::config::ready::PasswordHash;

/// What [`parse_user`] reads.
pub(in crate::config) const USER: &str =
    "\"name:hash\", as `palisade hash-password --user NAME` or `htpasswd -B` print it";

/// Users in the order in which they were written.
pub(in crate::config) type Users = Vec<(String, PasswordHash)>;

/// Costlier hashes make every login a way to keep the edge busy: argon2 up to 256 MiB and 16 passes, bcrypt up to 2^15.
const ARGON2_MEMORY_KIB: u32 = 256 * 1024;
const ARGON2_PASSES: u32 = 16;
const BCRYPT_COST: u32 = 15;

/// One `name:hash`.
pub(in crate::config) fn parse_user(text: &str) -> Result<(String, PasswordHash), Fault> {
    let (name, hash) = text.split_once(':').ok_or_else(|| Fault::new("no `:`"))?;
    let fits = |c: char| !c.is_control() && c != ':';
    if name.is_empty()
        || name.len() > 256
        || !name.chars().all(fits)
        || http::HeaderValue::from_str(name).is_err()
    {
        return Err(Fault::new("not a user's name"));
    }
    parse_hash(hash).map(|hash| (name.to_owned(), hash))
}

/// A file of them, one a line; `#` begins a comment.
pub(in crate::config) fn parse_users(text: &str) -> Result<Users, Vec<(usize, Fault)>> {
    let (mut users, mut faults, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
    for (at, line) in text.lines().enumerate() {
        let (at, line) = (at + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parse_user(line) {
            Ok((name, hash)) => {
                if let Some(first) = seen.insert(name.clone(), at) {
                    faults.push((
                        at,
                        Fault::new(format!("this user already stands in line {first}")),
                    ));
                }
                users.push((name, hash));
            }
            Err(fault) => faults.push((at, Fault::new(format!("{}; expected {USER}", fault.reason)))),
        }
    }
    if faults.is_empty() { Ok(users) } else { Err(faults) }
}

fn parse_hash(text: &str) -> Result<PasswordHash, Fault> {
    let known = match text {
        _ if text.starts_with("$argon2") => check_argon2(text),
        _ if ["$2a$", "$2b$", "$2x$", "$2y$"]
            .iter()
            .any(|kind| text.starts_with(kind)) =>
        {
            check_bcrypt(text)
        }
        _ => Err(Fault::new("neither an argon2 nor a bcrypt hash")),
    };
    known.map(|()| PasswordHash::new(text.to_owned()))
}

fn check_argon2(text: &str) -> Result<(), Fault> {
    let broken = || Fault::new("not a whole argon2 hash");
    let hash = argon2::password_hash::phc::PasswordHash::new(text).map_err(|_| broken())?;
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(broken());
    }
    argon2::Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| broken())?;
    let params = argon2::Params::try_from(&hash).map_err(|_| broken())?;
    if params.m_cost() > ARGON2_MEMORY_KIB || params.t_cost() > ARGON2_PASSES {
        return Err(Fault::new("an argon2 hash of more than 256 MiB or 16 passes"));
    }
    Ok(())
}

fn check_bcrypt(text: &str) -> Result<(), Fault> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| Fault::new("not a whole bcrypt hash"))?;
    if !(4..=BCRYPT_COST).contains(&parts.get_cost()) {
        return Err(Fault::new("a bcrypt hash of a cost above 15"));
    }
    Ok(())
}
