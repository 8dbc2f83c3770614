//! What Usher's end-to-end tests share.
