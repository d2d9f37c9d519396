//! What matched rules do to a transaction. One action per file, with the SecLang name as the file's name.
