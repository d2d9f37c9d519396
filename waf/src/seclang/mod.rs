//! SecLang: text -> syntax tree -> typed rules. Every error carries the file, the line and what was
//! expected; all errors of a rule set are reported at once.
