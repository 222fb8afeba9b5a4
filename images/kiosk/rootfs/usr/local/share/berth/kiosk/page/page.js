// Shows what is wrong, if something is.
document.body.classList.toggle("wrong", location.hash === "#not-an-address");
