//! Counts the bytes that the parsers look at, so that tests can hold them to work in proportion to the
//! body, whatever the body. Outside tests it does nothing.

#[cfg(test)]
thread_local! {
    static SPENT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A parser looked at so many bytes.
#[inline]
pub(super) fn spend(bytes: usize) {
    #[cfg(test)]
    SPENT.with(|spent| spent.set(spent.get() + bytes));
    #[cfg(not(test))]
    let _ = bytes;
}

/// The bytes that were looked at while `run` ran.
#[cfg(test)]
pub(super) fn spent<T>(run: impl FnOnce() -> T) -> usize {
    SPENT.with(|spent| spent.set(0));
    run();
    SPENT.with(std::cell::Cell::get)
}
