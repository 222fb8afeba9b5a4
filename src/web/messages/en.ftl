# Everything people read on Berth's pages, in English. fr.ftl has the same messages with the same
# arguments; a test compares them. What a script shows has `-says-` in its name: such messages are
# handed to the script of that page as they are, with `{name}` where an argument goes.

### Times

time-seconds = { $number ->
    [one] { $number } second
   *[other] { $number } seconds
}
time-minutes = { $number ->
    [one] { $number } minute
   *[other] { $number } minutes
}
time-hours = { $number ->
    [one] { $number } hour
   *[other] { $number } hours
}
time-days = { $number ->
    [one] { $number } day
   *[other] { $number } days
}
time-ago = { $time } ago
time-now = just now

### The state of a machine

state-queued = In the queue
state-starting = Starting
state-ready = Ready
state-frozen = Frozen
state-stopping = Stopping
state-stopped = Stopped
state-failed = Did not start

now-queued = It starts in a moment.
now-queued-line = Many machines are starting right now. { $line }
now-creating = The machine is being made.
now-booting = The machine runs and is getting ready to use.
now-ready = Running and ready to use.
now-frozen = Frozen where you left it. Nothing is lost; it goes on when you resume it.
now-stopping = It is being shut down.
now-restarting = It is being shut down, then it starts again.
now-resetting = It is being made anew, then it starts again.
now-resetting-home = The files in its home are being set aside as a copy, then it starts with an empty home.
now-removing = It is being deleted.

line-next = You are next.
line-next-time = You are next, about { $time } to go.
line-number = You are number { $position } in the queue.
line-number-time = You are number { $position } in the queue, about { $time } to go.

stopped-admin = An administrator stopped it. Your files are kept.
stopped-away = It stopped because nobody used it for a long time. Your files are kept.
stopped-closing-time = It stopped because it was closing time. Your files are kept.
stopped-exited = It shut itself down. Your files are kept.
stopped-lost = It is gone from the server it ran on. Start it again; the files in its home are kept.
stopped-out-of-memory = It ran out of memory and was ended. Your files are kept; close some programs next time.
stopped-owner = Its owner stopped it. Your files are kept.
stopped-restored = The server was set up again from a backup, and this was not running any more. Start it again; the files in its home are as the backup or the server had them.
stopped-total = It stopped because its time was up. Your files are kept.

failed-queue = Its turn did not come in time because very many machines were starting. Try again in a few minutes.
failed-creating = The server took too long to make it. Nothing is left over; try again.
failed-booting = It ran, but it was not ready to use in time. Try again; if it keeps happening, tell your administrator.
failed-engine = The server could not run it. Try again; if it keeps happening, tell your administrator.
failed-engine-down = The server that runs machines does not answer. Try again in a few minutes; your files are safe.
failed-exited = It ended before it was ready. Try again; if it keeps happening, tell your administrator.
failed-home-in-use = Another machine is still using the same files. Stop that one, then start this one.
failed-home-kept = The files in its home could not be set aside, so they are as they were. Start it again to go on with them.
failed-image-missing = What it is made from is not on the server. Tell your administrator; trying again will not help yet.
failed-internal = The start was broken off on our side. Try again.
failed-template-gone = This type of machine is no longer offered. Your files are kept; create a machine of another type.
failed-unproven = Something else answered in its place, so it was not opened. Try again; if it keeps happening, tell your administrator.

detail-code = exit code { $code }
detail-code-unknown = exit code unknown
detail-image = The image { $image } is not on the server. Install it with “{ $command }”, then try again.

left-away = Freezes in { $time } if nobody uses it.
left-busy = It is at work; freezes in { $time } if nobody uses it.
left-closing-time = Stops in { $time }: closing time.
left-frozen = Stops in { $time } if nobody resumes it.
left-no-viewer = Freezes in { $time } if nobody opens it.
left-total = Stops in { $time }.
left-kept = Deleted in { $time } if nobody starts it.

### Every page

skip = Skip to the content
machines = Machines
your-machines = Your machines
back = Back to your machines
nav-admin = Admin
nav-admin-pages = Administration
nav-sessions = Everyone’s machines
nav-account = Your account
log-in = Log in
log-out = Log out

### Waiting and resting

waiting-starting = is starting
waiting-stopping = is stopping
waiting-step-queued = Waiting for its turn
waiting-step-creating = Making the machine
waiting-step-booting = Getting it ready to use
waiting-so-far = so far.
waiting-cancel = Cancel the start
waiting-leave = You can leave this page; it goes on without you.
rest-guest = It is not running right now. Only its owner can start it; you may open it again once it runs.
waiting-no-script = This page looks again by itself every few seconds.
rest-code = If you ask somebody for help, tell them this:
rest-detail = What the machine said

### What one can do with a machine

do-open = Open
do-open-full = Open full screen
do-open-tab = Open in a new tab
do-see = See how far it is
do-resume = Resume
do-wait = One moment
do-start = Start
do-again = Try again
do-restart = Restart
do-extend = More time
do-freeze = Freeze
do-stop = Stop
do-cancel = Cancel the start
do-reset = Reset…
do-delete = Delete…
do-more = More
do-more-for = for { $name }

### The dashboard

dashboard-offline = The connection to Berth was lost. What you see may be old; it is being tried again.
dashboard-welcome = Your first machine
dashboard-empty = You have no machine yet. Choose what it should be, and it starts in a few seconds.
screen-of = Screen of { $name }
dashboard-says-ago = { $time } ago
dashboard-says-now = just now
card-used = Last used
find-label = Find a machine
find-button = Show
find-none = No machine has this in its name or type.
sort-label = Sort by
sort-age = Age
sort-used = Last use
sort-name = Name
sort-state = State
landing-refused = Your machine could not be started just now. Try it here; your files are safe.
dashboard-says-so-far = { $time } so far.
create-none = There is no machine type for you here. Ask your administrator to add one.
create-title = New machine
create-what = What should it be?
create-name = What do you call it?
create-button = Create and start
create-name-empty = Give it a name, so that you find it again.
create-name-long = That name is too long. Use at most 64 characters.
create-name-control = That name has invisible characters. Type it again without them.

### The files of a machine

size-kb = { $number } KB
size-mb = { $number } MB
size-gb = { $number } GB
size-point = .
home-line = Files: { $used }
home-line-limit = Files: { $used } of { $limit }
home-warn = Your files nearly fill their space. Delete what you no longer need, and empty the trash.
home-full = Your files fill their space, so nothing more can be saved. Delete what you no longer need, and empty the trash.
home-in-use = These files are in use
home-in-use-text = “{ $name }” is running with the same files. Two machines at once could damage them, so only one of them can run.
home-in-use-button = Stop “{ $name }” and start this one
home-in-use-open = Go to “{ $name }”

### Before something is destroyed

confirm-delete = Delete
confirm-delete-button = Delete this machine
confirm-delete-destroys = This deletes the machine, and everything installed or changed in it outside the home folder.
confirm-delete-keeps = The files in the home folder are kept: the next machine of the same owner has them again.
confirm-delete-destroys-all = This deletes the machine and every file in it. They cannot be brought back.
confirm-reset = Reset
confirm-reset-button = Reset this machine
confirm-reset-destroys = This makes the machine anew. Everything installed or changed outside the home folder is lost, and open programs are closed.
confirm-reset-keeps = The files in the home folder are kept.
confirm-reset-destroys-all = This makes the machine anew. Every file in it is lost and cannot be brought back, and open programs are closed.
confirm-reset-further = Empty the home folder as well…
confirm-reset-home = Reset the machine and the home folder of
confirm-reset-home-button = Reset machine and home folder
confirm-reset-home-destroys = This makes the machine anew with an empty home folder. Every machine that shares this home folder finds it empty too, and open programs are closed.
confirm-reset-own-home-keeps = The files are set aside as a dated copy on the server, which goes when the machine is deleted. Whoever runs the server can take files out of it; older copies make room for newer ones.
confirm-reset-home-keeps = The files are set aside as a dated copy. An administrator can put it back; older copies make room for newer ones.
confirm-reset-home-sure = Yes, empty the home folder.
confirm-copy-first = Copy what is still needed out of it first.
confirm-question = { "?" }
confirm-keep = Keep it as it is
onward-title = Opening
onward-text = It opens in a moment.
onward-button = Open it now

### Logging in, and one's account

login-name = User name
login-password = Password
login-forgotten = Forgotten your password? Ask your teacher or administrator for a new one.
login-changed = Your password is changed. Log in with the new one.
login-out = You are logged out. Your machines go on as they were.
account-title = Change your password
account-text = Afterwards you are logged out everywhere, and log in with the new one. Your machines go on as they are.
account-present = The password you have now
account-new = New password, at least 8 characters
account-again = New password once more
account-button = Change the password
account-differ = These two are not the same. Type the new password twice.
account-same = This is the password you have now. Choose another one.
account-wrong = This is not the password you have now. Please try again.

### Admin

admin-title = All machines
admin-running = Running
admin-places = { $running } of { $places }
admin-empty = Nobody has a machine yet.
admin-machine = Machine
admin-owner = Owner
admin-type = Type
admin-state = State
admin-since = Since
admin-input = Last input
admin-viewers = Viewers
admin-home = Files
input-clipboard = clipboard
input-extend = more time asked for
input-key = key
input-open = opened
input-pointer = pointer
input-request = request
admin-actions = Actions

### When something went wrong

error-not-found = Nothing here
error-unauthorized = Please log in
error-forbidden = This was not allowed
error-gone = This link has been used
error-conflict = That does not work right now
error-too-many = One moment, please
error-upstream = The machine does not answer
error-unavailable = Not right now
error-internal = Something went wrong on our side
error-unread = That request was not understood
error-internal-text = That was not your doing. Try again; if it happens again, tell whoever runs this Berth and give the reference below.
error-reference = Reference:
error-home = Go to your machines

### What errors say: a message per sentence that some `Answer` has

problem-body-stalled = Your browser stopped sending halfway. Try again.
problem-body-too-large = That is more than this page takes. Go back and shorten it.
problem-broken-off = That was not your doing. Reload the page and try again.
problem-copy-unknown = There is no copy { $copy } of these files. `berth home list` names those there are.
problem-cpus-spent = Your running machines may have { $limit } CPU cores together and have { $taken }; this one takes { $wanted } more. Stop another one first.
problem-credentials-wrong = The name or the password is not right. Please try again.
problem-csrf-failed = This page has been open for too long. Reload it and try again.
problem-cursor-invalid = This part of the list cannot be found. Begin with the first one again.
problem-engine = The service that runs machines is not working right now.
problem-extend-spent = This machine has no more time to give. Save your work; your files are kept when it stops.
problem-field-invalid = { $field } is not what this address takes: { $why }.
problem-full = All places are taken right now. Try again in a few minutes.
problem-grant-exists = They may open this machine already. Withdraw that first to change it.
problem-grant-own = This machine is theirs already.
problem-grantee-unknown = There is no user of this name. Check how it is spelled.
problem-home-busy = The files of this machine are being copied. Try again when that is done.
problem-home-in-use = “{ $name }” ({ $label }) is running with the same files, and two machines at once could damage them. Stop it first, or start this one instead of it.
problem-home-in-use-by-another = Another machine is using the same files. Stop that one first.
problem-host-foreign = This server does not answer for that address. Check the address, or ask whoever gave it to you.
problem-idempotency-busy = This request is being carried out already. Ask again in a moment for its answer.
problem-idempotency-reused = This Idempotency-Key was used for a request with another content. Choose a new key for a new request.
problem-image-built-here = The image { $image } is made on this machine and not fetched. Make it with: { $command }
problem-image-missing = This machine cannot be started because part of it is not installed.
problem-internal = Something went wrong on our side. Please try again.
problem-invitation-gone = It was withdrawn, or its time was up. Ask whoever sent it for a new one.
problem-invitation-returned = You came by this link before, and your access was ended since. Ask whoever sent it.
problem-invitation-spent = As many people as may have used it already. Ask whoever sent it for a new one.
problem-too-many-invitations = This machine is shared as often as it may be. Withdraw a link or a person first.
problem-invitation-made = This link was made already.
problem-last-admin = This is the last administrator. Make someone else an administrator first.
problem-limits-invalid = These limits are more than can be meant: at most 10000 sessions, 1024 cores and 1 EiB of memory, and nothing below zero.
problem-login-required = Please log in first.
problem-machine-unknown = There is no such machine, or it is not yours.
problem-malformed = What was sent is not what this address takes. Go back, reload the page and try again.
problem-memory-spent = Your running machines may have { $limit } MiB of memory together and have { $taken }; this one takes { $wanted } more. Stop another one first.
problem-method = This address cannot be used that way. Go back and use the buttons.
problem-method-only = This address takes { $methods } only.
problem-must-change = Please choose a password of your own first, on the page of your account.
problem-name-control = Please choose another name: it has invisible characters.
problem-name-empty = Please choose another name: it needs at least one visible character.
problem-name-long = Please choose another name: it has at most 64 characters.
problem-name-reserved = Please choose another name: this one is reserved.
problem-name-taken = You have a machine of this name already. Choose another name.
problem-no-desktop = No template with protocol = "rfb" is configured, so there is no desktop to start.
problem-no-screen = This machine is an app without a screen, so there is no picture of it.
problem-not-found = There is nothing at this address. Perhaps it was mistyped; your machines are on the start page.
problem-not-running = This machine is not running right now, so there is no picture of its screen.
problem-not-seen = This machine was frozen before a picture of its screen was taken.
problem-not-shareable = Only desktops can be shared. This machine is a web app, which its owner alone opens.
problem-origin-foreign = This request came from another site, so it was not carried out. Open Berth and try again there.
problem-origin-foreign-machine = Another website tried to open this machine. It was refused.
problem-owner-foreign = Only administrators make machines for others. Leave the owner out to make one for yourself.
problem-password-is-name = Please choose another password: it is the same as the name.
problem-password-long = Please choose another password: it is longer than 1024 bytes.
problem-password-monotonous = Please choose another password: it is one character repeated.
problem-password-short = Please choose another password: it is shorter than 8 characters.
problem-request-refused = This request cannot be served: { $reason }.
problem-scope-missing = This needs a token with the scope { $scope }.
problem-row-cell = { $column ->
    [role] The role must be admin or user.
    [disabled] In the column disabled must stand yes or no.
    [must_change] In the column must_change must stand yes or no.
    [max_sessions] The number of machines must be a whole number up to 10000, or default.
    [max_cpus] The CPU cores must be a number up to 1024, or default.
    [max_memory_mib] The memory must be a whole number of MiB, or default.
    [templates] The machine types are names with spaces between, a hyphen for none, or default.
   *[other] What stands in the column { $column } cannot be read.
}
problem-row-cells = This row has { $found } cells, but the first line names { $expected }.
problem-row-hash = This password_hash is of no kind that could be checked, so no password would ever fit it.
problem-row-meanwhile = The user was created, changed or deleted since the trial run. Try again.
problem-row-own-rights = This is you, and a list does not take your own rights. Another administrator can.
problem-row-repeated = Line { $line } is about the same user.
problem-row-two-passwords = The row has both a password and a password_hash. Leave one of them empty.
problem-screen-unseen = This machine does not show its screen right now.
problem-screens-busy = Many screens are being looked at right now. Try again in a few seconds.
problem-session-not-reachable = This machine is not running right now. Open its page to start it.
problem-session-unknown = There is no such machine here. It may have been removed; your machines are on the start page.
problem-sheet-column-twice = The list cannot be read: its first line names the column { $column } twice.
problem-sheet-column-unknown = The list cannot be read: nobody knows its column “{ $column }”. Known are: { $known }.
problem-sheet-empty = There is no user in the list.
problem-sheet-long = The list is longer than { $most } KiB. Take it in in parts.
problem-sheet-many = The list has more than { $most } users. Take it in in parts.
problem-sheet-no-name = The list cannot be read: its first line must name its columns, “name” among them. Known are: { $known }.
problem-sheet-not-utf8 = The list cannot be read: line { $line } is not UTF-8. Save it as “CSV UTF-8” and try again.
problem-store = Berth cannot save changes right now. Open machines go on working.
problem-template-not-allowed = The machine type “{ $name }” is not one of yours. Ask your administrator if you need it.
problem-template-unknown = There is no machine type “{ $name }”. Choose one from the list.
problem-template-unlisted = There is no machine type of this name. Choose one from the list.
problem-throttled = Too many attempts went wrong. Please wait { $seconds } s and try again.
problem-ticket-invalid = This link has been used or is too old. Go back and open the machine again.
problem-token-denied = You may not make such a token: yours can act as yourself, with your own machines.
problem-token-invalid = The token is not valid here. Check it, or ask whoever runs this Berth.
problem-too-many-grants = This machine is shared with { $most } people, the most there may be. Withdraw one first.
problem-too-many-sessions = You have { $limit } machines, the most you may have. Delete one to make room.
problem-too-many-streams = This login follows { $most } pages at once already, the most it may. Close one to follow another.
problem-too-many-tokens = There are { $limit } tokens already, the most there may be. Revoke one to make room.
problem-unconfirmed = Resetting the home empties it. To confirm, send the session’s label as confirm.
problem-upgrade-invalid = Your browser asked for a connection that is not possible here.
problem-upstream = The machine behind this page does not answer properly. Reload in a moment.
problem-upstream-silent = The machine behind this page does not answer.
problem-upstream-timeout = The machine behind this page took too long to answer. Try again.
problem-user-taken = There is a user of this name already. Please choose another name.
problem-user-unknown = There is no user of this name. Perhaps they were removed.
problem-vnc-password = vncPassword must be 6 to 64 printable ASCII characters without spaces; VNC uses the first 8.
problem-wrong-state = { $state ->
    [starting] This machine is starting right now, so that cannot be done. Reload the page.
    [paused] This machine is frozen right now, so that cannot be done. Reload the page.
    [stopping] This machine is stopping right now, so that cannot be done. Reload the page.
    [stopped] This machine is stopped right now, so that cannot be done. Reload the page.
    [failed] This machine did not start, so that cannot be done. Reload the page.
   *[ready] This machine is running right now, so that cannot be done. Reload the page.
}

### The viewer: the page itself

viewer-bar = Viewer
viewer-tools = Tools for this machine
viewer-left = Time left
viewer-people = Who is here
viewer-people-short = People
viewer-display = Display
viewer-display-title = Size and quality of the picture
viewer-full = Full screen
viewer-full-title = Use the whole screen
viewer-keys = Keys
viewer-keys-title = Send keys that your browser or computer would keep
viewer-touch = Keyboard
viewer-touch-title = Show the keyboard of this device
viewer-clipboard = Clipboard
viewer-clipboard-title = Copy and paste text
viewer-help = Help
viewer-help-title = What the tools do, and how to leave
viewer-full-no = Not now
viewer-power = Machine
viewer-power-title = Stop, restart or share this machine
viewer-power-text = Your files are kept. Programs that are open are closed, except when you freeze the machine.
viewer-power-there = Stop, restart and share this machine from the page of your machines.
viewer-share = Share this machine…
viewer-fold = Hide or show the tools
viewer-close = Close
viewer-screen = The desktop. Ctrl+Alt+Shift leads back to the tools.
viewer-observer = You are watching. The keyboard and the pointer stay with the others.

viewer-size = Size of the desktop
viewer-size-fit = Fit
viewer-size-fit-text = The whole desktop is scaled to this window.
viewer-size-resize = Resize
viewer-size-resize-text = The desktop takes the size of this window.
viewer-size-actual = As it is
viewer-size-actual-text = One pixel is one pixel; scroll to see the rest.
viewer-quality = Quality
viewer-quality-text = Lower is quicker on a slow network.
viewer-compression = Compression
viewer-compression-text = Higher needs less network and more of the server.
viewer-shot = Take a screenshot

viewer-keys-press = Press
viewer-keys-hold = Hold down
viewer-keys-hold-text = Stays down until you press it again.
viewer-key-cad = Ctrl+Alt+Del
viewer-key-tab = Alt+Tab
viewer-key-terminal = Ctrl+Alt+T
viewer-key-escape = Esc
viewer-key-tabulator = Tab
viewer-key-super = Super
viewer-key-super-title = The Windows or Command key
viewer-key-control = Ctrl
viewer-key-alt = Alt
viewer-touch-field = Type here; it goes to the desktop.

viewer-clip-label = Text on the desktop’s clipboard. Change it here to paste it there.
viewer-clip-send = Send to the desktop
viewer-clip-copy = Copy to this computer
viewer-clip-auto = Once your browser may read the clipboard, what you copy here is ready to paste there.

viewer-help-keyboard = By keyboard
viewer-help-chord = Press and release Ctrl+Alt+Shift: from the desktop to the tools, and back.
viewer-help-arrows = Arrow keys walk along the tools; Enter presses one.
viewer-help-escape = Esc closes an open panel.
viewer-help-tools = The tools
viewer-help-display = Display scales the picture or gives the desktop the size of this window, makes it lighter for a slow network, and takes screenshots.
viewer-help-keys = Keys sends what your computer would keep for itself, such as Ctrl+Alt+Del, and holds Ctrl, Alt or Super down.
viewer-help-clipboard = Clipboard carries text both ways, in every script.
viewer-help-people = Who is here shows everybody who sees this desktop. Nobody can watch unseen.
viewer-help-leave = How to leave
viewer-help-leave-text = Close this tab or go back to your machines: the desktop goes on, and you find it as you left it. Stop it there when you are done.

viewer-veil-title = Connecting
viewer-veil-text = Connecting to your desktop.
viewer-start = Start it again
viewer-retry = Try again now
viewer-extend = Extend
viewer-no-script = JavaScript is off
viewer-no-script-text = The desktop is drawn with JavaScript. Switch it on for this site, then reload the page.

### The viewer: what its script says

viewer-says-not-loaded = The viewer did not load
viewer-says-load-again = Part of this page was lost on the way. It is loaded again.
viewer-says-load-failed = Part of this page was lost on the way, three times. Check your network, then try again.
viewer-says-reconnecting = Reconnecting
viewer-says-restarted = Berth is being restarted. Your desktop goes on; this takes a moment.
viewer-says-runs-again = Your machine runs again.
viewer-says-no-answer-yet = Your desktop does not answer yet.
viewer-says-lost = The connection was lost. Your desktop goes on; what you see behind this is old.
viewer-says-at-once = It is tried again at once.
viewer-says-in = It is tried again in { $time }.

viewer-says-logged-out = You are logged out
viewer-says-logged-out-text = Your desktop goes on running. Log in again to come back to it.
viewer-says-withdrawn = This desktop is no longer shared with you
viewer-says-withdrawn-text = Its owner or a teacher ended your access. Ask them if you still need it.
viewer-says-stopped = This machine has stopped
viewer-says-stopped-text = The files in its home are kept. Start it again when you need it.
viewer-says-frozen = This machine was frozen
viewer-says-frozen-text = Nobody had used it for a while. Resume it to go on exactly where you were.
viewer-says-failed = This machine did not start
viewer-says-gone = This machine is gone
viewer-says-gone-text = It was deleted, or it is no longer yours.

viewer-says-left = { $time } left
viewer-says-soon-away = Nobody has used this machine for a while. It freezes in { $time }; press a key or move the pointer in it to go on.
viewer-says-soon-total = This machine stops in { $time }: its time is up then. Save your work; your files are kept.
viewer-says-soon-closing = This machine stops in { $time }: it is closing time then. Save your work; your files are kept.
viewer-says-soon-busy = This machine is at work, but nobody is. It freezes in { $time }; press a key or move the pointer in it to go on.
viewer-says-soon-no-viewer = Nobody is looking at this machine. It freezes in { $time }.
viewer-says-extending = One moment…
viewer-says-extended = You have more time now.
viewer-says-not-extended = That did not work. Try again in a moment.

viewer-says-slow-network = Your network is slow
viewer-says-slow-network-text = What you do arrives late. A lower quality under Display helps.
viewer-says-no-network = Your network does not answer
viewer-says-no-network-text = Nothing comes through at the moment. Your desktop goes on.
viewer-says-frozen-desktop = The desktop does not answer
viewer-says-frozen-desktop-text = Your network is fine. Wait a little; if it stays like this, restart the machine.

viewer-says-watching-one = { $names } is watching
viewer-says-watching-many = { $names } are watching
viewer-says-helping-one = { $names } can use this desktop with you
viewer-says-helping-many = { $names } can use this desktop with you
viewer-says-you = { $name } (you)
viewer-says-role-owner = Owner

### Sharing by a link

invite-new = Make a link
invite-new-text = Whoever has the link and an account here can open this machine, until the link ends.
invite-lasts = How long does it work?
invite-lasts-10m = 10 minutes
invite-lasts-1h = 1 hour
invite-lasts-today = The rest of today
invite-lasts-custom = Another time:
invite-lasts-wrong = Type a whole number; a link works for 30 days at most.
invite-number = Number
invite-unit = Unit
invite-minutes = minutes
invite-hours = hours
invite-days = days
invite-most = For how many people? (Leave it empty for any number.)
invite-most-wrong = Type a whole number from 1 to 100, or leave it empty.
invite-button = Make the link
invite-made = Your link is ready
invite-made-text = Copy it now and send it to whom you want to let in. It is shown only this once; Berth keeps no copy of it.
invite-link = The link
invite-copy = Copy
invite-copied = Copied.
invite-links = Links in force
invite-made-by = made by
invite-came = { $came ->
    [0] nobody came by it yet
    [one] { $came } person came by it
   *[other] { $came } people came by it
}
invite-came-of = { $came } of { $most } came by it
invite-withdraw = Withdraw the link
invite-withdraw-text = Withdrawing a link also ends the access of everybody who came by it.
invite-by-link = by a link

join-title = You are invited
join-text = Somebody wants to show you a machine. You decide whether to take a look.
join-machine = Machine
join-owner = Belongs to
join-may = What you may do
join-until = Ends
join-in = in { $time }
join-button = Accept and open it
join-no = Not now
join-own = This is your own machine
join-own-text = The link works. Send it to whom you want to let in; you need none yourself.
join-manage = See its links
join-granted = You may open it already
join-granted-text = This machine is shared with you, so you need no link.
join-gone = This link leads nowhere any more
viewer-says-role-helper = Helps: can use keyboard and pointer
viewer-says-role-observer = Watches: cannot change anything
viewer-says-since = since { $time }
viewer-says-nobody = Nobody else is here.
viewer-says-count = Who is here: { $count }

viewer-says-copied-both = Copied on the desktop, and to this computer.
viewer-says-copied-desktop = Copied on the desktop.
viewer-says-sent = Sent. Paste it on the desktop with Ctrl+V.
viewer-says-copied = Copied to this computer.
viewer-says-copy-refused = Your browser does not allow that. Press Ctrl+C to copy the marked text.
viewer-says-shot = Screenshot saved: { $file }
viewer-says-down = { $key } is held down
viewer-says-up = { $key } is let go

### Sharing

do-share = Share…
here-helper = { $name } is connected and can use it.
here-observer = { $name } is watching.
role-helper = Helper
role-helper-may = Sees the screen and can use keyboard, mouse and clipboard, as you can.
role-helper-yours = You see its screen, and can use it. Its owner sees that you are there.
role-observer = Observer
role-observer-may = Only sees the screen. Nothing they type or click reaches the machine.
role-observer-yours = You see its screen; what you type or click does not reach it. Its owner sees that you are there.

### Sharing
share-title = Share
share-belongs = This machine belongs to
share-seen = They see on this page who was let in, and by whom.
share-not = Only desktops can be shared. This machine is a web app, which its owner alone opens.
share-may = Who may open it
share-nobody-else = Nobody else.
share-ends = ends in
share-endless = until it is withdrawn
share-by = given by
share-withdraw = Withdraw
share-here = Who is connected now
share-nobody = Nobody.
share-new = Let somebody in by name
share-name = Their user name
share-name-missing = Type the name they log in with.
share-name-unknown = There is no user of this name. Check how it is spelled.
share-role = What may they do?
share-role-missing = Choose what they may do.
share-lasts = For how long?
share-give = Share it
share-back = Back
shared-title = Shared with you
shared-of = Belongs to
shared-resting = Not running now
role-owner = Owner

### Templates and images

template-cores = { $cores ->
    [one] { $cores } core
   *[other] { $cores } cores
}
template-memory-gib = { $number } GiB of memory
template-memory-mib = { $number } MiB of memory
template-network-internal = no internet
template-network-egress = internet
template-home-persistent = home kept
template-home-session = home kept with the machine
template-home-ephemeral = nothing kept
template-away = freezes after { $time } unused
template-total = stops after { $time }
create-missing = Not installed on the server yet. Ask your administrator for it.
update-ready = A new version is ready. It comes with the next start or restart: the files in the home folder are kept, what was changed elsewhere is not.
update-ready-all = A new version is ready. It comes with the next start or restart and replaces the machine with every file in it: copy out what you need first.
admin-update = new image ready
do-restart-new = Restart with the new version
nav-images = Templates
images-title = Templates and images
images-text = What machines are made from. A machine that exists gets a newer image at its next start or restart.
images-template = Template
images-image = Image
images-here = On this server
images-policy = Fetched
image-present = installed
image-missing = not installed
image-unknown = not known right now
image-command = Install it with:
image-version = version
image-pull = Fetch
image-built-here = Made here with:
pull-never = when asked for
pull-missing = when missing
pull-daily = every day
pull-waiting = It waits for others to be fetched.
pull-running = Being fetched: { $bytes }, { $done } of { $layers } layers.
pull-done = Fetched at { $at }.
pull-failed = It could not be fetched: { $detail }

tokens-title = Tokens of programs
tokens-title-own = My tokens for programs
tokens-text-own = With a token a program acts as you, with your own machines. Whoever has it may do what it says, so keep it like a password.
tokens-text-all = All tokens, those of users too. One that acts as nobody deals with everybody’s machines.
tokens-made = Made:
tokens-once = Copy it now. Nobody can read it again.
tokens-empty = There are no tokens.
tokens-name = Name
tokens-scopes = May be used for
tokens-scopes-missing = Choose at least one thing that it may be used for.
tokens-user = Acts as
tokens-by = Made by
tokens-lapses = Ends in
tokens-endless = Until it is revoked
tokens-days = { $days } days
tokens-used = Last used
tokens-unused = Never
tokens-revoke = Revoke
tokens-new = A new token
tokens-may = What may it be used for?
tokens-may-admin = Everything an administrator may
tokens-may-sessions-read = Read machines
tokens-may-sessions-write = Make, change and remove machines
tokens-may-users-write = Read and change users
tokens-as = Acts as this user (empty: as nobody, with everybody’s machines)
tokens-lasts = For how long?
tokens-make = Make it
tokens-all = All tokens

### Kiosk links

links-text = Addresses that do one thing for whoever holds them, without a login: for the screens of clients. Looking at the page of one does not use it up; its button does.
links-made = Made:
links-once = Copy the address now. Nobody can read it again.
links-empty = There are no links.
links-does = What it does
links-client = Client
links-every-client = all clients
links-used = Used
links-spent = used up
links-lapses = Ends in
links-by = Made by
links-revoke = Revoke
links-new = A new link
links-do = What should it do?
links-do-access = Open a client’s screen
links-do-access-text = Makes the session of this client, or finds it, and lets the browser in.
links-do-remove = Remove a client’s screen
links-do-remove-text = Ends the session of this client at once.
links-do-remove-all = Remove all screens
links-do-remove-all-text = Ends the sessions of all clients at once. Desktops of people stay.
links-do-missing = Choose what it should do.
links-id = Client id (not for all screens)
links-id-note = The text by which scripts know the screen, exactly as they write it.
links-id-missing = Type the id of the client.
links-lasts = For how long?
links-uses = How often may it be used?
links-uses-wrong = Type a whole number from 1 to 10000.
links-make = Make it

### Statistics

nav-stats = Statistics
stats-title = Statistics
stats-range = Range
stats-hour = Last hour
stats-day = Last day
stats-month = Last 30 days
stats-none = No sample was taken yet. The first numbers come within a minute of the start.
stats-server = Server
stats-sessions = Machines
stats-running = { $count ->
    [one] { $count } ready
   *[other] { $count } ready
}
stats-cpu = CPU
stats-cpu-core = CPU of one core
stats-memory = Memory
stats-disk = Disk
stats-disk-engine = of the machines
stats-disk-store = of the database
stats-starts = Starts
stats-starts-ok = succeeded
stats-starts-failed = failed
stats-starts-now = { $starts } succeeded, { $failed } failed
stats-disk-traffic = Disk traffic
stats-read = read
stats-written = written
stats-network = Network
stats-received = received
stats-sent = sent
stats-rate = { $size }/s
stats-of = { $used } of { $total }
stats-percent = { $number } %
stats-busiest = Busiest machines
stats-idle = No machine is running.
stats-more = { $count ->
    [one] { $count } more is running.
   *[other] { $count } more are running.
}
stats-session-none = Nothing is known of this machine yet. Numbers come while it runs.

chart-table = As a table
chart-time = Time
chart-now = now
chart-minutes = −{ $count } min
chart-hours = −{ $count } h
chart-days = −{ $count } d
chart-over-hour = over the last hour
chart-over-day = over the last day
chart-over-month = over the last 30 days
chart-description = { $title } { $range }; { $most } at most. The table below has the numbers.

### Capacity

nav-capacity = Capacity
capacity-title = Capacity
capacity-text = How many more machines this server has room for. What a machine may use counts, not what it happens to use. Only the number of machines is a limit that refuses; everything else is shown.
capacity-more = Room for more
capacity-room = More
capacity-by = Bound by
capacity-each = Each resource has room for
capacity-bound = { $resource }
capacity-fits = { $resource } { $more }
capacity-resources = Resources
capacity-reserved = reserved by machines
capacity-free = free
capacity-used = in use now
capacity-binds = binds
capacity-line = { $reserved } of { $promised } reserved, { $free } free. In use now: { $used } of { $total }.
capacity-kept = { $kept } are kept back for the system, or in use beside machines.
capacity-memory = memory
capacity-cpu = CPU
capacity-sessions = number of machines
capacity-pids = processes
capacity-disk = disk
capacity-addresses-internal = addresses without internet
capacity-addresses-egress = addresses with internet
capacity-addresses-own = networks of their own
### One's own account: how pages are read, and logins

account-must = Your password was chosen for you. Choose one of your own before you go on.
account-chosen = Your choice holds on all your devices.
account-ended = The login has ended.
choices-title = Language and look
choices-text = Your choice holds on every page and on all your devices.
choices-language = Language
choices-look = Look
language-browser = As the browser
language-english = English
language-french = Français
look-system = As the device
look-light = Light
look-dark = Dark
logins-title = My logins
logins-text = Where you are logged in. If you do not know one of them, end it and change your password.
logins-this = this one
logins-end = End
logins-end-others = { $count ->
    [one] End the other login
   *[other] End the { $count } others
}
browser-on = { $browser } on { $system }
browser-unknown = a browser we do not know
browser-unknown-on = a browser on { $system }

### The admin's pages of users

nav-users = Users
role-admin = Administrator
role-user = User
users-create = New user
users-create-button = Create the user
users-created = The user is there
users-created-text = Give { $name } this password for the first login.
users-name = Name
users-role = Role
users-password = Password
users-password-note = At least 8 characters. Leave it empty to have one made, which you see once.
users-must-change = Must be changed at the first login
users-must = must change the password
users-password-made = The new password
users-made-text = Give { $name } this password. Their earlier one no longer works.
users-made-once = It is shown this once: nobody can look it up later.
users-made-on = To the user’s page
users-back = All users
users-removed = { $name } was deleted.
users-filter = Find users
users-filter-button = Show
users-search = Part of the name
users-any = All
users-state = State
users-active = active
users-disabled = disabled
users-sort = Order
users-count = { $count ->
    [one] { $count } user
   *[other] { $count } users
}
users-import = Import a list
users-export = Export
users-none = No user fits.
users-machines = Machines
users-running = running:
users-home = Files
users-created-at = Created
users-last-login = Last login
users-never = never
users-pages = Parts of the list
users-first = From the beginning
users-previous = Previous part
users-next = Next part

user-own = This is you.
user-access = Access
user-disable = Disable
user-disable-text = A disabled user cannot log in, and is logged out at once. Their machines and files stay.
user-enable = Enable
user-enable-text = This user cannot log in. Enabled, they can again.
user-role-text = Who gets another role is logged out and logs in again.
user-role-button = Change the role
user-password-text = Makes a new password, which you see once. The user is logged out everywhere.
user-password-button = Make a new password
user-no-machines = This user has no machine.
user-machines-on = To all machines
user-logins = Logins
user-no-logins = This user is not logged in.
user-logins-end = End all logins
user-delete = Delete the user
user-delete-text = First you see what happens to their machines and files.
user-delete-button = Delete …
user-done-created = The user is there.
user-done-disabled = The user is disabled and logged out.
user-done-enabled = The user can log in again.
user-done-role = The role was changed.
user-done-limits = The limits hold from the next start of a machine on.
user-done-logins = What was asked for has ended.

user-home-unknown = How much their files take is not known yet.
user-home-looked = Looked at:
user-done-restored = The copy was put back. What was in the home before is a copy now.
user-done-restoring = The copy is being put back. It takes a while and goes on by itself; the log says how it ended.
copies-title = Copies of these files
copies-none = There are none. Emptying the home of a machine makes one.
copies-unknown = The server does not say at the moment which copies there are. Reload the page later.
copies-restore = Put back…
copies-restoring = A copy is being put back into this home right now. Until that is done, no machine starts with it.
copy-restore = Put back the files of
copy-restore-text = The home becomes what it was at { $time }.
copy-restore-keeps = What is in the home now becomes a copy itself, so that it can be put back as well.
copy-restore-button = Put this copy back
copy-leave = Leave the home as it is
copy-in-use = “{ $name }” ({ $label }) runs with these files. Stop it first, then put the copy back.
copy-in-use-go = Show that machine

limits-title = Limits
limits-text = For this user alone. What is empty follows the general settings.
limits-sessions = Machines at most
limits-cpus = CPU cores of all running machines
limits-memory = Memory of all running machines, in MiB
limits-templates = Machine types, with spaces between
limits-general = In general
limits-none = no limit
limits-all = all
limits-button = Save the limits
limits-sessions-wrong = The number of machines must be a whole number up to 10000.
limits-cpus-wrong = The CPU cores must be a number up to 1024.
limits-memory-wrong = The memory must be a whole number of MiB.
limits-templates-wrong = The machine types are names with spaces between; a hyphen stands for none.
limits-templates-unknown = One of these machine types does not exist.

delete-logins = They are logged out at once and cannot log in any more.
delete-no-machines = They have no machine.
delete-machines = { $count ->
    [one] This machine is deleted: { $names } (running: { $running }).
   *[other] These { $count } machines are deleted: { $names } (running: { $running }).
}
delete-own-homes = { $count ->
    [one] One of them has files of its own, which are gone with it.
   *[other] { $count } of them have files of their own, which are gone with them.
}
delete-home = Their files are here:
delete-home-size = Their files ({ $size }) are here:
delete-no-home = They have no files that would be kept.
delete-home-unknown = The server does not say at the moment whether they have files.
delete-choice = What becomes of their files?
delete-keep = Keep them
delete-keep-text = They stay where they are, under that name, until somebody removes them there.
delete-remove = Delete them
delete-remove-text = For good, with all their copies.
delete-last = The user and their machines cannot be brought back.
delete-button = Delete the user for good

import-title = Import users
import-text = From a spreadsheet saved as CSV. First you see what would happen to each row; nothing is changed before you say so. Passwords of users who exist already are never changed.
import-file = A file
import-paste = Or the text itself
import-columns = The first line names the columns, in any order; only name is needed:
import-try = See what would happen
import-gone = That trial run is too old. Begin again.
import-shown = What would happen
import-shown-text = { $count ->
    [one] One row was read. Nothing has been changed yet.
   *[other] { $count } rows were read. Nothing has been changed yet.
}
import-running = The import is under way
import-running-text = { $done } of { $count } rows are done. You can leave this page; it goes on without you.
import-ended = What was done
import-ended-text = { $count ->
    [one] The row is done.
   *[other] All { $count } rows are done.
}
import-will-make = { $count ->
    [one] One of them has no password and gets one. You can fetch it once afterwards.
   *[other] { $count } of them have no password and get one. You can fetch them once afterwards.
}
import-made = { $count ->
    [one] A password was made for one user. Fetch it now: it can be fetched once, and nobody can look it up later.
   *[other] Passwords were made for { $count } users. Fetch them now: they can be fetched once, and nobody can look them up later.
}
import-passwords = Fetch the passwords
import-do = Do exactly this
import-again = Another list
import-count-created = Created
import-count-changed = Changed
import-count-exists = Left as they are
import-count-refused = Refused
import-line = Line
import-results = All rows as a file (CSV)
import-result = Result
import-detail = Why
import-created = created
import-changed = changed
import-exists = exists
import-refused = refused
import-more = { $count ->
    [one] One more row is not shown.
   *[other] { $count } more rows are not shown.
}
import-field-disabled = access
import-field-limits = limits
import-field-role = role
### Administration

nav-log = Log
nav-settings = Settings
nav-tokens = Tokens
nav-links = Kiosk links
filter-any = Any
filter-show = Show
filter-all = Show everything
pages = Pages

### The log

log-title = Log
log-text = Who did what, and how it ended: the audit of this server. Nothing in it can be changed unnoticed.
log-event = Event
log-outcome = Outcome
log-actor = Who
log-target = What or whom
log-since = From
log-until = Until
log-times = Times in UTC: 2026-01-31, 2026-01-31T08:15, or how long ago: 30m, 12h, 7d.
log-time-unread = This is no time. Write 2026-01-31T08:15, or 12h for twelve hours ago.
log-live = New lines appear here as they are written.
log-newest = Go to the newest lines
log-newer = Newer lines
log-older = Older lines
log-export = Everything under these filters as a file:
log-jsonl = JSON lines
log-csv = CSV table
log-empty = No line fits these filters.
log-when = When
log-what = What happened
log-raw = Line { $number } as stored
log-outcome-ok = Done
log-outcome-refused = Refused
log-outcome-failed = Failed
log-group-sessions = Machines
log-group-logins = Logins
log-group-users = Users
log-group-viewers = Watching and helping
log-group-grants = Sharing
log-group-images = Images
log-group-homes = Files
log-group-server = Server
log-actor-anonymous = Somebody
log-actor-cli = The command line
log-actor-system = The server
log-actor-token = The API’s token
log-unknown = { $actor }: { $event } { $target }
log-access-refused = { $code ->
    [admin_only] { $actor } asked for { $target }, which is for administrators alone.
    [session_unknown] { $actor } asked for { $target }, which is somebody else’s.
   *[other] { $actor } asked for { $target } and may not have it.
}
log-audit-exported = { $actor } took a copy of this log.
log-audit-trimmed = { $lines } old lines were cut from this log: lines are kept for { $days } days.
log-config-danger = The server runs with a setting that weakens security: { $key }
log-gateway-started = The server began to serve.
log-gateway-stopped = The server was told to stop.
log-grant-created = { $actor } shared { $target } with { $grantee }, who may { $role ->
    [helper] use
   *[observer] watch
} it.
log-grant-lapsed = The time for which { $grantee } could open { $target } is over.
log-grant-not-created = { $actor } asked to share { $target } with { $grantee }; it was not done.
log-grant-withdrawn = { $actor } stopped sharing { $target } with { $grantee }.
log-home-not-restored = { $actor } asked to put a copy back into the home of { $target }; it was not done.
log-home-restored = { $actor } put the copy { $copy } back into the files of { $target }.
log-home-set-aside = { $actor } had the files of { $target } set aside as the copy { $copy }.
log-image-not-pulled = { $actor } had the image { $image } of { $template } fetched; it failed.
log-image-pulled = { $actor } had the image { $image } of { $template } fetched.
log-login-ok = { $actor } logged in.
log-login-refused = { $reason ->
    [unknown_user] Somebody tried to log in with a name that does not exist.
    [disabled] { $target } tried to log in and is disabled.
    [throttled] Too many logins failed; more are refused for a while.
   *[wrong_password] Somebody tried to log in as { $target } with a wrong password.
}
log-logout = { $actor } logged out.
log-session-created = { $whose ->
    [client] { $actor } created “{ $name }” ({ $target }) for the client { $client }, made from { $template }.
    [own] { $actor } created “{ $name }” ({ $target }), made from { $template }.
    [other] { $actor } created “{ $name }” ({ $target }) for { $owner }, made from { $template }.
   *[unknown] { $actor } created { $target }, made from { $template }.
}
log-session-extended = { $actor } gave { $target } more time: { $time }.
log-session-failed = { $target } did not start. { $why }
log-session-not-changed = { $actor } asked to { $change ->
    [start] start
    [stop] stop
    [restart] restart
    [reset] reset
    [reset_home] reset, with its home,
    [remove] delete
    [pause] freeze
    [resume] resume
   *[extend] give more time to
} { $target }; it was not done.
log-session-not-created = { $actor } asked for a machine { $name } made from { $template }; it was not created.
log-session-not-ended = { $actor } asked to { $change ->
    [restart] restart
    [reset] reset
    [reset_home] reset, with its home,
    [remove] delete
   *[stop] stop
} { $target }; it has not worked yet and is tried again.
log-session-paused = { $actor } froze { $target }.
log-session-ready = { $target } is ready to use.
log-session-removed = { $whose ->
    [client] { $actor } deleted “{ $name }” ({ $target }) of the client { $client }.
    [own] { $actor } deleted “{ $name }” ({ $target }).
    [other] { $actor } deleted “{ $name }” ({ $target }) of { $owner }.
   *[unknown] { $actor } deleted { $target }.
}
log-session-reset = { $home ->
    [true] { $actor } reset { $target } and its home, whose files are set aside as a copy.
   *[false] { $actor } reset { $target }: all but its home is made anew.
}
log-session-restarted = { $actor } restarted { $target }.
log-session-resumed = { $actor } resumed { $target }.
log-session-started = { $actor } started { $target }.
log-session-stopped = { $actor }: { $target } stopped. { $why }
log-user-created = { $actor } created the { $role ->
    [admin] administrator
   *[user] user
} { $target }.
log-user-disabled = { $actor } disabled the user { $target }.
log-user-enabled = { $actor } enabled the user { $target } again.
log-user-password-changed = { $actor } gave { $target } another password.
log-user-removed = { $actor } removed the user { $target }.
log-view-only-attempt = { $actor } may only watch { $target } and tried to use it. Nothing reached it.
log-viewer-joined = { $actor } began to { $role ->
    [helper] use
   *[observer] watch
} { $target }.
log-backup-failed = { $actor } asked for a backup; it was not made.
log-backup-made = { $actor } made the backup { $target }: { $parts }; { $size }.
log-home-removed = { $actor } removed the files of { $target } and every copy of them.
log-invitation-created = { $actor } made a link to { $target }: whoever comes by it may { $role ->
    [helper] use it
   *[observer] watch it
  }.
log-invitation-not-created = { $actor } asked for a link to { $target }; it was not made.
log-invitation-refused = { $code ->
    [invitation_gone] { $actor } came by a link that is no good any more and was not let in.
    [invitation_returned] { $actor } came again by a link after their access had ended and was not let in.
    [invitation_spent] { $actor } came by a link whose places are all taken and was not let in.
   *[other] { $actor } came by a link and was not let in.
}
log-invitation-used = { $actor } came to { $target } by a link.
log-invitation-withdrawn = { $actor } took a link to { $target } back.
log-login-ended = { $actor } ended a login of { $target }.
log-restore-failed = { $actor } asked to put a backup back; it did not succeed.
log-restored = { $actor } put a backup back.
log-token-created = { $bound ->
    [yes] { $actor } made the token { $target }, which acts as { $user }. It may be used for: { $scopes }
   *[no] { $actor } made the token { $target }, which acts as nobody. It may be used for: { $scopes }
}
log-token-refused = { $actor } asked for more than their tokens may be used for: { $scopes }. It was refused.
log-token-revoked = { $actor } revoked the token { $target }, or it went with its user.
log-user-limits-changed = { $actor } changed the limits of { $target }: { $limits }.
log-limits = machines { $sessions }, cores { $cpus }, memory in MiB { $memory }, machine types { $templates }
log-limits-general = as in general
log-limits-none = none
log-user-refused = { $change ->
    [create] { $actor } asked for a user { $target }, who was not created.
    [set_password] { $actor } asked to give { $target } another password; it was not done.
    [change_password] { $actor } asked for another password of their own; it was not done.
    [set_role] { $actor } asked to change what { $target } may do; it was not done.
    [set_limits] { $actor } asked to change the limits of { $target }; it was not done.
    [disable] { $actor } asked to disable the user { $target }; it was not done.
    [enable] { $actor } asked to enable the user { $target } again; it was not done.
    [remove] { $actor } asked to remove the user { $target }; it was not done, or not to the end.
    [import] { $actor } imported a list of users, and { $target } was left out.
   *[other] { $actor } asked to change { $target }; it was refused.
}
log-user-role-changed = { $actor } made { $target } { $role ->
    [admin] an administrator
   *[user] a user
  }.
log-users-imported = { $actor } imported a list of users: { $created } created, { $changed } changed, { $refused } refused.
log-viewer-left = { $actor } left { $target } after { $time }.
log-part-config = configuration
log-part-homes = homes
log-part-images = images
log-part-store = database

# Events by a short name, to choose them by.
log-kind-access-refused = Access refused
log-kind-audit-exported = Log exported
log-kind-audit-trimmed = Old lines cut
log-kind-backup-failed = Backup not made
log-kind-backup-made = Backup made
log-kind-config-danger = Setting that weakens security
log-kind-entry-given = Browser let in without a login
log-kind-gateway-started = Server started
log-kind-gateway-stopped = Server stopped
log-kind-grant-created = Shared with somebody
log-kind-grant-lapsed = Sharing lapsed
log-kind-grant-not-created = Not shared
log-kind-grant-withdrawn = Sharing withdrawn
log-kind-home-removed = Home removed
log-kind-home-not-restored = Copy not put back
log-kind-home-restored = Copy put back
log-kind-home-set-aside = Home set aside
log-kind-image-not-pulled = Image not fetched
log-kind-image-pulled = Image fetched
log-kind-invitation-created = Invitation made
log-kind-invitation-not-created = Invitation not made
log-kind-invitation-refused = Invitation refused
log-kind-invitation-used = Invitation used
log-kind-invitation-withdrawn = Invitation withdrawn
log-kind-link-created = Link for a client made
log-kind-link-refused = Link for a client refused
log-kind-link-revoked = Link for a client revoked
log-kind-link-used = Link for a client used
log-kind-login-ended = Login ended
log-kind-login-ok = Logged in
log-kind-login-refused = Login refused
log-kind-logout = Logged out
log-kind-restore-failed = Backup not put back
log-kind-restored = Backup put back
log-kind-session-created = Machine created
log-kind-session-extended = More time given
log-kind-session-failed = Start failed
log-kind-session-not-changed = Machine not changed
log-kind-session-not-created = Machine not created
log-kind-session-not-ended = Stop or deletion failed
log-kind-session-paused = Machine frozen
log-kind-session-ready = Machine ready
log-kind-session-removed = Machine deleted
log-kind-session-reset = Machine reset
log-kind-session-restarted = Machine restarted
log-kind-session-resumed = Machine resumed
log-kind-session-started = Machine started
log-kind-session-stopped = Machine stopped
log-kind-token-created = Token made
log-kind-token-refused = Token refused
log-kind-token-revoked = Token revoked
log-kind-user-created = User created
log-kind-user-disabled = User disabled
log-kind-user-enabled = User enabled again
log-kind-user-limits-changed = Limits changed
log-kind-user-password-changed = Password changed
log-kind-user-refused = User not created or changed
log-kind-user-removed = User removed
log-kind-user-role-changed = Role changed
log-kind-users-imported = List of users imported
log-kind-view-only-attempt = Tried to use while watching
log-kind-viewer-joined = Viewer came
log-kind-viewer-left = Viewer left

### Everybody's machines

admin-search = Search name, owner, label or type
admin-reason = Why it ended
admin-found = { $count ->
    [one] { $count } machine
   *[other] { $count } machines
}
admin-pick = Choose { $name }
admin-pick-all = Choose every machine on this page
admin-chosen = What is chosen:
admin-picked = { $count } chosen:
admin-others = { $count } more came meanwhile. Show them.
admin-others-short = Show them.
admin-gone = Deleted
admin-none-fit = No machine fits these filters.
page-previous = Previous page
page-next = Next page
bulk-do-stop = Stop…
bulk-do-restart = Restart…
bulk-do-delete = Delete…
bulk-delete = { $count ->
    [one] Delete this machine?
   *[other] Delete these { $count } machines?
}
bulk-delete-button = { $count ->
    [one] Delete one machine
   *[other] Delete { $count } machines
}
bulk-delete-done = What was deleted
bulk-restart = { $count ->
    [one] Restart this machine?
   *[other] Restart these { $count } machines?
}
bulk-restart-button = { $count ->
    [one] Restart one machine
   *[other] Restart { $count } machines
}
bulk-restart-done = What was restarted
bulk-stop = { $count ->
    [one] Stop this machine?
   *[other] Stop these { $count } machines?
}
bulk-stop-button = { $count ->
    [one] Stop one machine
   *[other] Stop { $count } machines
}
bulk-stop-done = What was stopped
bulk-restart-ends = Open programs end, and what was not saved in them is lost. Then it starts again.
bulk-restart-starts = It rests and is started.
bulk-stop-ends = Open programs end, and what was not saved in them is lost.
bulk-stop-nothing = It rests already: nothing happens.
bulk-keeps = Its files are kept.
bulk-at-rest = It rests.
bulk-effect = What this does
bulk-outcome = How it went
bulk-gone = gone meanwhile
bulk-nothing = Nothing was chosen
bulk-nothing-text = Go back, tick the machines, and choose again.
bulk-leave = Leave them as they are
bulk-back = Back to the machines

### Settings

settings-title = Settings
settings-text = Everything in force on this server, and where it comes from. To change something, edit the file or the environment and restart Berth; secrets are never shown.
settings-dangers = What weakens security
settings-tables = Tables of the configuration
settings-key = Key and meaning
settings-value = Value
settings-origin = Where it comes from
settings-weakens = weakens security
settings-defaults = Left at their defaults:
unit-seconds = seconds
unit-days = days
origin-default = default
origin-file = { $at }
origin-environment = variable { $variable }
link-access = Open this screen:
link-access-text = Press the button and the screen opens in this window. You need no password.
link-access-button = Open the screen
link-remove = Remove this screen:
link-remove-text = Its session ends at once, and what was not saved elsewhere is gone.
link-remove-button = Remove the screen
link-remove-all = Remove all screens?
link-remove-all-text = The sessions of all screens end at once, and what was not saved elsewhere is gone. Desktops of people stay.
link-remove-all-button = Remove all screens
link-removed = Done
link-removed-text = The screen's session is removed. Its next link makes a new one.
link-removed-all-text = The sessions of all screens are removed. Their next links make new ones.
link-until = Good for another
link-uses = times left:
link-aside = This link is for whoever got it. Looking at this page does not use it up; the button does.
rest-alone = This screen is not running right now. Open its link again, or ask whoever gave it to you for a new one.

problem-client-template = There is no template “{ $name }” for clients. Configure one, or name another in compat.template.
problem-client-home = All clients would share the files of the template “{ $name }”. Set its home to "ephemeral" or "session".
problem-client-unsettled = This screen is being removed right now. Try again in a moment.
problem-client-missing = The parameter id is missing: /access?id=CLIENT.
problem-client-long = The id is too long; it may have 2048 bytes.
problem-client-unknown = There is no session of this client.
problem-get-only = This address is asked with GET.
problem-get-changes-nothing = Nothing was done: opening this address in a browser changes nothing, or any page could make you do it. Scripts send a bearer token; for people there are links (berth link create).
problem-token-bound = This token acts as one user. For the machines of others, use one that acts as nobody.
problem-token-required = This address needs an “Authorization: Bearer” header with a token for everybody’s machines. For a browser make a link instead (berth link create).
problem-link-invalid = This link has been used or is too old. Ask whoever gave it to you for a new one.
problem-link-unfit = A link may last from one second to 366 days and be used 1 to 10000 times. If there are very many links already, revoke some first.

log-entry-given = A browser was let into { $target } without a login.
log-link-created = { $actor } made a link { $action ->
    [access] to the machine of the client { $client }
    [remove] that removes the machine of the client { $client }
   *[remove_all] that removes the machines of all clients
}, good for { $uses ->
    [one] one use
   *[other] { $uses } uses
}.
log-link-refused = Somebody followed a link { $action ->
    [access] to the machine of the client { $client }
    [remove] that removes the machine of the client { $client }
   *[remove_all] that removes the machines of all clients
}. It did nothing: { $reason ->
    [used] it had been used as often as it may
   *[lapsed] its time was up
}.
log-link-revoked = { $actor } took back a link { $action ->
    [access] to the machine of the client { $client }
    [remove] that removes the machine of the client { $client }
   *[remove_all] that removes the machines of all clients
}.
log-link-used = Somebody followed a link { $action ->
    [access] to the machine of the client { $client }
    [remove] that removes the machine of the client { $client }
   *[remove_all] that removes the machines of all clients
}.

# What in the configuration weakens security.
danger-development = tls.dev_ca: the certificate is one for development, issued by this machine itself; put a real one in its place before others rely on it.
danger-isolation = engine.danger_skip_isolation is on: Berth serves although nothing proves that sessions cannot reach each other or this machine.
danger-metrics = server.metrics listens on { $address }, which other machines may reach: metrics are served without a password.
danger-origin = template { $template } has danger_share_origin: its pages run on the portal's own origin and can act as whoever opens them.
danger-proxies = server.trusted_proxies has { $proxy }, which covers containers (engine.subnet = { $subnet }): a session can forge the address it comes from.
danger-subnet = engine.subnet = { $subnet } is not a private range: sessions hide the real owners of these addresses.
