# Tout ce qu’on lit sur les pages de Berth, en français. Mêmes messages et mêmes arguments que
# en.ftl ; un test les compare. Espaces insécables devant « : ; ? ! », apostrophes typographiques.

### Durées

time-seconds = { $number ->
    [one] { $number } seconde
   *[other] { $number } secondes
}
time-minutes = { $number ->
    [one] { $number } minute
   *[other] { $number } minutes
}
time-hours = { $number ->
    [one] { $number } heure
   *[other] { $number } heures
}
time-days = { $number ->
    [one] { $number } jour
   *[other] { $number } jours
}
time-ago = il y a { $time }
time-now = à l’instant

### L’état d’une machine

state-queued = En file d’attente
state-starting = Démarrage
state-ready = Prête
state-frozen = Figée
state-stopping = Arrêt en cours
state-stopped = Arrêtée
state-failed = Non démarrée

now-queued = Elle démarre dans un instant.
now-queued-line = Beaucoup de machines démarrent en ce moment. { $line }
now-creating = La machine est en cours de création.
now-booting = La machine tourne et se prépare.
now-ready = En marche et prête à l’emploi.
now-frozen = Figée là où vous l’avez laissée. Rien n’est perdu ; elle reprend quand vous le voulez.
now-stopping = Elle est en train de s’arrêter.
now-restarting = Elle s’arrête, puis redémarre.
now-resetting = Elle est remise à neuf, puis redémarre.
now-resetting-home = Les fichiers de son dossier personnel sont mis de côté dans une copie, puis elle démarre avec un dossier vide.
now-removing = Elle est en cours de suppression.

line-next = Vous êtes la prochaine personne.
line-next-time = Vous êtes la prochaine personne, encore { $time } environ.
line-number = Vous êtes en position { $position } dans la file.
line-number-time = Vous êtes en position { $position } dans la file, encore { $time } environ.

stopped-admin = Un administrateur l’a arrêtée. Vos fichiers sont conservés.
stopped-away = Elle s’est arrêtée, car personne ne l’a utilisée pendant longtemps. Vos fichiers sont conservés.
stopped-closing-time = Elle s’est arrêtée, car c’était l’heure de fermeture. Vos fichiers sont conservés.
stopped-exited = Elle s’est éteinte d’elle-même. Vos fichiers sont conservés.
stopped-lost = Elle a disparu du serveur où elle tournait. Redémarrez-la ; les fichiers de son dossier personnel sont conservés.
stopped-out-of-memory = Elle a manqué de mémoire et a été interrompue. Vos fichiers sont conservés ; fermez quelques programmes la prochaine fois.
stopped-owner = Son propriétaire l’a arrêtée. Vos fichiers sont conservés.
stopped-restored = Le serveur a été rétabli à partir d’une sauvegarde, et cette machine ne tournait plus. Redémarrez-la ; les fichiers de son dossier personnel sont ceux de la sauvegarde ou du serveur.
stopped-total = Elle s’est arrêtée, car son temps était écoulé. Vos fichiers sont conservés.

failed-queue = Son tour n’est pas venu à temps, car un très grand nombre de machines démarraient. Réessayez dans quelques minutes.
failed-creating = Le serveur a mis trop de temps à la créer. Il n’en reste rien ; réessayez.
failed-booting = Elle tournait, mais n’était pas prête à temps. Réessayez ; si cela se reproduit, prévenez votre administrateur.
failed-engine = Le serveur n’a pas pu la faire tourner. Réessayez ; si cela se reproduit, prévenez votre administrateur.
failed-engine-down = Le serveur qui fait tourner les machines ne répond pas. Réessayez dans quelques minutes ; vos fichiers sont en sécurité.
failed-exited = Elle s’est terminée avant d’être prête. Réessayez ; si cela se reproduit, prévenez votre administrateur.
failed-home-in-use = Une autre machine utilise encore les mêmes fichiers. Arrêtez-la, puis démarrez celle-ci.
failed-home-kept = Les fichiers de son dossier personnel n’ont pas pu être mis de côté ; ils sont restés tels quels. Redémarrez-la pour continuer avec eux.
failed-image-missing = Ce dont elle est faite n’est pas sur le serveur. Prévenez votre administrateur ; réessayer ne servira à rien pour l’instant.
failed-internal = Le démarrage a été interrompu de notre côté. Réessayez.
failed-template-gone = Ce type de machine n’est plus proposé. Vos fichiers sont conservés ; créez une machine d’un autre type.
failed-unproven = Autre chose a répondu à sa place, elle n’a donc pas été ouverte. Réessayez ; si cela se reproduit, prévenez votre administrateur.

detail-code = code de sortie { $code }
detail-code-unknown = code de sortie inconnu
detail-image = L’image { $image } n’est pas sur le serveur. Installez-la avec « { $command } », puis réessayez.

left-away = Se fige dans { $time } si personne ne l’utilise.
left-busy = Elle travaille ; se fige dans { $time } si personne ne l’utilise.
left-closing-time = S’arrête dans { $time }, à l’heure de fermeture.
left-frozen = S’arrête dans { $time } si personne ne la reprend.
left-no-viewer = Se fige dans { $time } si personne ne l’ouvre.
left-total = S’arrête dans { $time }.
left-kept = Supprimée dans { $time } si personne ne la démarre.

### Chaque page

skip = Aller au contenu
machines = Machines
your-machines = Vos machines
back = Retour à vos machines
nav-admin = Administration
nav-admin-pages = Pages d’administration
nav-sessions = Machines de tous
nav-account = Votre compte
log-in = Se connecter
log-out = Se déconnecter

### Attente et repos

waiting-starting = démarre
waiting-stopping = s’arrête
waiting-step-queued = Attente de son tour
waiting-step-creating = Création de la machine
waiting-step-booting = Préparation
waiting-so-far = écoulées.
waiting-cancel = Annuler le démarrage
waiting-no-script = Cette page se recharge d’elle-même toutes les quelques secondes.
waiting-leave = Vous pouvez quitter cette page ; tout continue sans vous.
rest-guest = Elle ne tourne pas pour l’instant. Seul son propriétaire peut la démarrer ; vous pourrez la rouvrir quand elle tournera.
rest-code = Si vous demandez de l’aide, indiquez ceci :
rest-detail = Ce qu’a dit la machine

### Ce qu’on peut faire d’une machine

do-open-full = Ouvrir en plein écran
do-open-tab = Ouvrir dans un nouvel onglet
do-open = Ouvrir
do-see = Voir où elle en est
do-resume = Reprendre
do-wait = Un instant
do-start = Démarrer
do-again = Réessayer
do-restart = Redémarrer
do-extend = Plus de temps
do-freeze = Figer
do-stop = Arrêter
do-cancel = Annuler le démarrage
do-reset = Remettre à neuf…
do-delete = Supprimer…
do-more = Plus
do-more-for = pour { $name }

### Le tableau de bord

dashboard-offline = La connexion à Berth est perdue. Ce que vous voyez est peut-être ancien ; une nouvelle tentative est en cours.
dashboard-welcome = Votre première machine
dashboard-says-ago = il y a { $time }
dashboard-says-now = à l’instant
card-used = Dernière utilisation :
find-label = Chercher une machine
find-button = Afficher
find-none = Aucune machine n’a cela dans son nom ou son type.
sort-label = Trier par
sort-age = Ancienneté
sort-used = Dernière utilisation
sort-name = Nom
sort-state = État
landing-refused = Votre machine n’a pas pu démarrer à l’instant. Essayez ici ; vos fichiers sont en sécurité.
dashboard-empty = Vous n’avez pas encore de machine. Choisissez-en le type, et elle démarre en quelques secondes.
screen-of = Écran de { $name }
dashboard-says-so-far = Depuis { $time }.
create-none = Aucun type de machine ne vous est proposé ici. Demandez à votre administrateur d’en ajouter un.
create-title = Nouvelle machine
create-what = De quel type ?
create-name = Comment l’appelez-vous ?
create-button = Créer et démarrer
create-name-empty = Donnez-lui un nom, pour la retrouver.
create-name-long = Ce nom est trop long. Utilisez 64 caractères au plus.
create-name-control = Ce nom contient des caractères invisibles. Saisissez-le de nouveau sans eux.

### Les fichiers d’une machine

size-kb = { $number } Ko
size-mb = { $number } Mo
size-gb = { $number } Go
size-point = ,
home-line = Fichiers : { $used }
home-line-limit = Fichiers : { $used } sur { $limit }
home-warn = Vos fichiers remplissent presque leur espace. Supprimez ce dont vous n’avez plus besoin et videz la corbeille.
home-full = Vos fichiers remplissent leur espace, et plus rien ne peut être enregistré. Supprimez ce dont vous n’avez plus besoin et videz la corbeille.
home-in-use = Ces fichiers sont utilisés
home-in-use-text = « { $name } » fonctionne avec les mêmes fichiers. Deux machines à la fois pourraient les abîmer : une seule peut fonctionner.
home-in-use-button = Arrêter « { $name } » et démarrer celle-ci
home-in-use-open = Aller à « { $name } »

### Avant de détruire

confirm-delete = Supprimer
confirm-delete-button = Supprimer cette machine
confirm-delete-destroys = La machine sera supprimée, avec tout ce qui y a été installé ou modifié en dehors du dossier personnel.
confirm-delete-keeps = Les fichiers du dossier personnel sont conservés : la prochaine machine du même propriétaire les retrouvera.
confirm-delete-destroys-all = La machine et tous ses fichiers seront supprimés. Ils ne pourront pas être récupérés.
confirm-reset = Remettre à neuf
confirm-reset-button = Remettre cette machine à neuf
confirm-reset-destroys = La machine est refaite à neuf. Tout ce qui a été installé ou modifié en dehors du dossier personnel est perdu, et les programmes ouverts sont fermés.
confirm-reset-keeps = Les fichiers du dossier personnel sont conservés.
confirm-reset-destroys-all = La machine est refaite à neuf. Tous ses fichiers sont perdus sans retour, et les programmes ouverts sont fermés.
confirm-reset-further = Vider aussi le dossier personnel…
confirm-reset-home = Remettre à neuf la machine et le dossier personnel de
confirm-reset-home-button = Remettre à neuf la machine et le dossier
confirm-reset-home-destroys = La machine est refaite à neuf avec un dossier personnel vide. Toutes les machines qui partagent ce dossier le trouveront vide aussi, et les programmes ouverts sont fermés.
confirm-reset-own-home-keeps = Les fichiers sont mis de côté dans une copie datée sur le serveur, qui disparaît avec la machine. La personne qui gère le serveur peut en reprendre des fichiers ; les copies anciennes laissent la place aux nouvelles.
confirm-reset-home-keeps = Les fichiers sont mis de côté dans une copie datée. Un administrateur peut la remettre en place ; les copies anciennes laissent la place aux nouvelles.
confirm-reset-home-sure = Oui, vider le dossier personnel.
confirm-copy-first = Copiez d’abord ce dont on a encore besoin.
confirm-question = { " ?" }
confirm-keep = La garder telle quelle
onward-title = Ouverture de
onward-text = Elle s’ouvre dans un instant.
onward-button = L’ouvrir maintenant

### Connexion et compte

login-name = Nom d’utilisateur
login-password = Mot de passe
login-forgotten = Mot de passe oublié ? Demandez-en un nouveau à votre enseignant ou à votre administrateur.
login-changed = Votre mot de passe est changé. Connectez-vous avec le nouveau.
login-out = Vous êtes déconnecté. Vos machines continuent comme avant.
account-title = Changer de mot de passe
account-text = Vous serez ensuite déconnecté partout, et vous vous connecterez avec le nouveau. Vos machines continuent telles quelles.
account-present = Votre mot de passe actuel
account-new = Nouveau mot de passe, au moins 8 caractères
account-again = Nouveau mot de passe, une seconde fois
account-button = Changer le mot de passe
account-differ = Les deux ne sont pas identiques. Saisissez deux fois le nouveau mot de passe.
account-same = C’est votre mot de passe actuel. Choisissez-en un autre.
account-wrong = Ce n’est pas votre mot de passe actuel. Veuillez réessayer.

### Administration

admin-title = Toutes les machines
admin-running = En marche
admin-places = { $running } sur { $places }
admin-empty = Personne n’a encore de machine.
admin-machine = Machine
admin-owner = Propriétaire
admin-type = Type
admin-state = État
admin-since = Depuis
admin-input = Dernière action
admin-viewers = Écrans
admin-home = Fichiers
input-clipboard = presse-papiers
input-extend = temps demandé
input-key = touche
input-open = ouverture
input-pointer = pointeur
input-request = requête
admin-actions = Actions

### Quand quelque chose ne va pas

error-not-found = Rien ici
error-unauthorized = Veuillez vous connecter
error-forbidden = Cela n’est pas permis
error-gone = Ce lien a déjà servi
error-conflict = Cela ne marche pas pour l’instant
error-too-many = Un instant, s’il vous plaît
error-upstream = La machine ne répond pas
error-unavailable = Pas pour l’instant
error-internal = Quelque chose s’est mal passé de notre côté
error-unread = Cette demande n’a pas été comprise
error-internal-text = Vous n’y êtes pour rien. Réessayez ; si cela se reproduit, prévenez la personne qui gère ce Berth et donnez-lui la référence ci-dessous.
error-reference = Référence :
error-home = Aller à vos machines

### Ce que disent les erreurs : un message par phrase d’un `Answer`

problem-body-stalled = Votre navigateur a cessé d’envoyer à mi-chemin. Réessayez.
problem-body-too-large = C’est plus que cette page n’accepte. Revenez en arrière et raccourcissez.
problem-broken-off = Vous n’y êtes pour rien. Rechargez la page et réessayez.
problem-copy-unknown = Il n’y a pas de copie { $copy } de ces fichiers. `berth home list` donne celles qui existent.
problem-cpus-spent = Vos machines en marche peuvent avoir ensemble { $limit } cœurs et en ont { $taken } ; celle-ci en prend { $wanted } de plus. Arrêtez-en d’abord une autre.
problem-credentials-wrong = Le nom ou le mot de passe n’est pas le bon. Veuillez réessayer.
problem-csrf-failed = Cette page est restée ouverte trop longtemps. Rechargez-la et réessayez.
problem-cursor-invalid = Cette partie de la liste est introuvable. Reprenez depuis la première.
problem-engine = Le service qui fait tourner les machines ne fonctionne pas pour l’instant.
problem-extend-spent = Cette machine n’a plus de temps à donner. Enregistrez votre travail ; vos fichiers sont conservés quand elle s’arrête.
problem-field-invalid = { $field } n’est pas ce qu’attend cette adresse : { $why }.
problem-full = Toutes les places sont prises pour l’instant. Réessayez dans quelques minutes.
problem-grant-exists = Cette personne peut déjà ouvrir cette machine. Retirez-lui d’abord cet accès pour le changer.
problem-grant-own = Cette machine est déjà à cette personne.
problem-grantee-unknown = Personne ne porte ce nom. Vérifiez l’orthographe.
problem-home-busy = Les fichiers de cette machine sont en cours de copie. Réessayez quand ce sera fini.
problem-home-in-use = « { $name } » ({ $label }) tourne avec les mêmes fichiers, et deux machines à la fois pourraient les abîmer. Arrêtez-la d’abord, ou démarrez celle-ci à sa place.
problem-home-in-use-by-another = Une autre machine utilise les mêmes fichiers. Arrêtez-la d’abord.
problem-host-foreign = Ce serveur ne répond pas à cette adresse. Vérifiez l’adresse, ou demandez à qui vous l’a donnée.
problem-idempotency-busy = Cette requête est déjà en cours. Redemandez dans un instant pour avoir sa réponse.
problem-idempotency-reused = Cette Idempotency-Key a servi pour une requête au contenu différent. Choisissez une nouvelle clé pour une nouvelle requête.
problem-image-built-here = L’image { $image } est fabriquée sur cette machine et ne se récupère pas. Fabriquez-la avec : { $command }
problem-image-missing = Cette machine ne peut pas démarrer, car il lui manque une partie qui n’est pas installée.
problem-internal = Quelque chose s’est mal passé de notre côté. Veuillez réessayer.
problem-invitation-gone = Il a été retiré, ou son temps est écoulé. Demandez-en un nouveau à la personne qui l’a envoyé.
problem-invitation-returned = Ce lien vous a déjà servi, et votre accès a pris fin depuis. Adressez-vous à la personne qui l’a envoyé.
problem-invitation-spent = Toutes ses places sont prises. Demandez-en un nouveau à la personne qui l’a envoyé.
problem-too-many-invitations = Cette machine est partagée autant qu’elle peut l’être. Retirez d’abord un lien ou une personne.
problem-invitation-made = Ce lien a déjà été créé.
problem-last-admin = C’est le dernier administrateur. Nommez d’abord quelqu’un d’autre administrateur.
problem-limits-invalid = Ces limites dépassent ce qui peut avoir un sens : au plus 10000 sessions, 1024 cœurs et 1 Eio de mémoire, et rien en dessous de zéro.
problem-login-required = Veuillez d’abord vous connecter.
problem-machine-unknown = Cette machine n’existe pas, ou elle n’est pas à vous.
problem-malformed = Ce qui a été envoyé n’est pas ce que cette adresse attend. Revenez en arrière, rechargez la page et réessayez.
problem-memory-spent = Vos machines en marche peuvent avoir ensemble { $limit } Mio de mémoire et en ont { $taken } ; celle-ci en prend { $wanted } de plus. Arrêtez-en d’abord une autre.
problem-method = Cette adresse ne s’utilise pas ainsi. Revenez en arrière et servez-vous des boutons.
problem-method-only = Cette adresse n’accepte que { $methods }.
problem-must-change = Veuillez d’abord choisir un mot de passe à vous, sur la page de votre compte.
problem-name-control = Choisissez un autre nom : il contient des caractères invisibles.
problem-name-empty = Choisissez un autre nom : il faut au moins un caractère visible.
problem-name-long = Choisissez un autre nom : 64 caractères au plus.
problem-name-reserved = Choisissez un autre nom : celui-ci est réservé.
problem-name-taken = Vous avez déjà une machine de ce nom. Choisissez un autre nom.
problem-no-desktop = Aucun modèle avec protocol = "rfb" n’est configuré : il n’y a pas de bureau à démarrer.
problem-no-screen = Cette machine est une application sans écran : il n’y en a pas d’image.
problem-not-found = Il n’y a rien à cette adresse. Peut-être est-elle mal saisie ; vos machines sont sur la page d’accueil.
problem-not-running = Cette machine ne tourne pas pour l’instant : il n’y a pas d’image de son écran.
problem-not-seen = Cette machine a été figée avant qu’une image de son écran soit prise.
problem-not-shareable = Seuls les bureaux peuvent être partagés. Cette machine est une application web, que seul son propriétaire ouvre.
problem-origin-foreign = Cette demande venait d’un autre site et n’a donc pas été exécutée. Ouvrez Berth et réessayez là.
problem-origin-foreign-machine = Un autre site web a tenté d’ouvrir cette machine. Cela lui a été refusé.
problem-owner-foreign = Seuls les administrateurs créent des machines pour d’autres. Ne nommez pas de propriétaire pour en créer une à vous.
problem-password-is-name = Choisissez un autre mot de passe : celui-ci est identique au nom.
problem-password-long = Choisissez un autre mot de passe : celui-ci dépasse 1024 octets.
problem-password-monotonous = Choisissez un autre mot de passe : celui-ci répète un seul caractère.
problem-password-short = Choisissez un autre mot de passe : celui-ci a moins de 8 caractères.
problem-request-refused = Cette requête ne peut pas être traitée : { $reason }.
problem-scope-missing = Il faut pour cela un jeton avec la portée { $scope }.
problem-row-cell = { $column ->
    [role] Le rôle doit être admin ou user.
    [disabled] Dans la colonne disabled, il faut yes ou no.
    [must_change] Dans la colonne must_change, il faut yes ou no.
    [max_sessions] Le nombre de machines doit être un nombre entier jusqu’à 10000, ou default.
    [max_cpus] Les cœurs doivent être un nombre jusqu’à 1024, ou default.
    [max_memory_mib] La mémoire doit être un nombre entier de Mio, ou default.
    [templates] Les types de machines sont des noms séparés par des espaces, un tiret pour aucun, ou default.
   *[other] Ce qui est dans la colonne { $column } ne peut pas être lu.
}
problem-row-cells = Cette ligne a { $found } cellules, mais la première ligne en nomme { $expected }.
problem-row-hash = Ce password_hash n’est d’aucune sorte qu’on puisse vérifier : aucun mot de passe ne conviendrait jamais.
problem-row-meanwhile = L’utilisateur a été créé, changé ou supprimé depuis l’essai. Recommencez.
problem-row-own-rights = C’est vous : une liste ne vous retire pas vos propres droits. Un autre administrateur le peut.
problem-row-repeated = La ligne { $line } concerne le même utilisateur.
problem-row-two-passwords = La ligne a un mot de passe et un password_hash. Laissez l’un des deux vide.
problem-screen-unseen = Cette machine ne montre pas son écran pour l’instant.
problem-screens-busy = Beaucoup d’écrans sont regardés en ce moment. Réessayez dans quelques secondes.
problem-session-not-reachable = Cette machine ne tourne pas pour l’instant. Ouvrez sa page pour la démarrer.
problem-session-unknown = Cette machine n’existe pas ici. Elle a peut-être été supprimée ; vos machines sont sur la page d’accueil.
problem-sheet-column-twice = La liste ne peut pas être lue : sa première ligne nomme deux fois la colonne { $column }.
problem-sheet-column-unknown = La liste ne peut pas être lue : personne ne connaît sa colonne « { $column } ». On connaît : { $known }.
problem-sheet-empty = Il n’y a aucun utilisateur dans la liste.
problem-sheet-long = La liste dépasse { $most } Kio. Importez-la en plusieurs fois.
problem-sheet-many = La liste a plus de { $most } utilisateurs. Importez-la en plusieurs fois.
problem-sheet-no-name = La liste ne peut pas être lue : sa première ligne doit nommer ses colonnes, dont « name ». On connaît : { $known }.
problem-sheet-not-utf8 = La liste ne peut pas être lue : la ligne { $line } n’est pas en UTF-8. Enregistrez-la en « CSV UTF-8 » et recommencez.
problem-store = Berth ne peut rien enregistrer pour l’instant. Les machines ouvertes continuent de fonctionner.
problem-template-not-allowed = Le type de machine « { $name } » n’est pas l’un des vôtres. Demandez-le à votre administrateur si vous en avez besoin.
problem-template-unknown = Il n’y a pas de type de machine « { $name } ». Choisissez-en un dans la liste.
problem-template-unlisted = Aucun type de machine ne porte ce nom. Choisissez-en un dans la liste.
problem-throttled = Trop de tentatives ont échoué. Attendez { $seconds } s et réessayez.
problem-ticket-invalid = Ce lien a déjà servi ou il est trop ancien. Revenez en arrière et rouvrez la machine.
problem-token-denied = Vous ne pouvez pas créer un tel jeton : les vôtres agissent en votre nom, avec vos propres machines.
problem-token-invalid = Ce jeton n’est pas valable ici. Vérifiez-le, ou demandez à la personne qui gère ce Berth.
problem-too-many-grants = Cette machine est partagée avec { $most } personnes, le maximum. Retirez d’abord un accès.
problem-too-many-sessions = Vous avez { $limit } machines, le maximum permis. Supprimez-en une pour faire de la place.
problem-too-many-streams = Cette connexion suit déjà { $most } pages à la fois, le maximum. Fermez-en une pour en suivre une autre.
problem-too-many-tokens = Il y a déjà { $limit } jetons, le maximum. Révoquez-en un pour faire de la place.
problem-unconfirmed = Remettre à neuf le dossier personnel le vide. Pour confirmer, envoyez le label de la session dans confirm.
problem-upgrade-invalid = Votre navigateur a demandé une connexion qui n’est pas possible ici.
problem-upstream = La machine derrière cette page ne répond pas correctement. Rechargez dans un instant.
problem-upstream-silent = La machine derrière cette page ne répond pas.
problem-upstream-timeout = La machine derrière cette page a mis trop de temps à répondre. Réessayez.
problem-user-taken = Il y a déjà un utilisateur de ce nom. Choisissez un autre nom.
problem-user-unknown = Personne ne porte ce nom. Le compte a peut-être été supprimé.
problem-vnc-password = vncPassword doit avoir de 6 à 64 caractères ASCII imprimables, sans espace ; VNC utilise les 8 premiers.
problem-wrong-state = { $state ->
    [starting] Cette machine est en train de démarrer : ce n’est pas possible pour l’instant. Rechargez la page.
    [paused] Cette machine est figée : ce n’est pas possible pour l’instant. Rechargez la page.
    [stopping] Cette machine est en train de s’arrêter : ce n’est pas possible pour l’instant. Rechargez la page.
    [stopped] Cette machine est arrêtée : ce n’est pas possible pour l’instant. Rechargez la page.
    [failed] Cette machine n’a pas démarré : ce n’est pas possible. Rechargez la page.
   *[ready] Cette machine est en marche : ce n’est pas possible pour l’instant. Rechargez la page.
}

### L’écran du bureau : la page

viewer-bar = Bureau
viewer-tools = Outils pour cette machine
viewer-left = Temps restant
viewer-people = Qui est là
viewer-people-short = Présents
viewer-display = Affichage
viewer-display-title = Taille et qualité de l’image
viewer-full = Plein écran
viewer-full-title = Utiliser tout l’écran
viewer-keys = Touches
viewer-keys-title = Envoyer des touches que votre navigateur ou votre ordinateur garderait
viewer-touch = Clavier
viewer-touch-title = Afficher le clavier de cet appareil
viewer-clipboard = Presse-papiers
viewer-clipboard-title = Copier et coller du texte
viewer-help = Aide
viewer-help-title = Ce que font les outils, et comment partir
viewer-full-no = Pas maintenant
viewer-power = Machine
viewer-power-title = Arrêter, redémarrer ou partager cette machine
viewer-power-text = Vos fichiers sont conservés. Les programmes ouverts sont fermés, sauf si vous figez la machine.
viewer-power-there = Arrêtez, redémarrez et partagez cette machine depuis la page de vos machines.
viewer-share = Partager cette machine…
viewer-fold = Masquer ou afficher les outils
viewer-close = Fermer
viewer-screen = Le bureau. Ctrl+Alt+Maj ramène aux outils.
viewer-observer = Vous regardez. Le clavier et la souris restent aux autres.

viewer-size = Taille du bureau
viewer-size-fit = Ajuster
viewer-size-fit-text = Tout le bureau est mis à l’échelle de cette fenêtre.
viewer-size-resize = Redimensionner
viewer-size-resize-text = Le bureau prend la taille de cette fenêtre.
viewer-size-actual = Telle quelle
viewer-size-actual-text = Un pixel vaut un pixel ; faites défiler pour voir le reste.
viewer-quality = Qualité
viewer-quality-text = Plus bas, c’est plus rapide sur un réseau lent.
viewer-compression = Compression
viewer-compression-text = Plus haut, c’est moins de réseau et plus de travail pour le serveur.
viewer-shot = Faire une capture d’écran

viewer-keys-press = Appuyer
viewer-keys-hold = Maintenir
viewer-keys-hold-text = Reste enfoncée jusqu’au prochain appui.
viewer-key-cad = Ctrl+Alt+Suppr
viewer-key-tab = Alt+Tab
viewer-key-terminal = Ctrl+Alt+T
viewer-key-escape = Échap
viewer-key-tabulator = Tab
viewer-key-super = Super
viewer-key-super-title = La touche Windows ou Commande
viewer-key-control = Ctrl
viewer-key-alt = Alt
viewer-touch-field = Écrivez ici ; le texte va au bureau.

viewer-clip-label = Texte du presse-papiers du bureau. Modifiez-le ici pour le coller là-bas.
viewer-clip-send = Envoyer au bureau
viewer-clip-copy = Copier sur cet ordinateur
viewer-clip-auto = Dès que votre navigateur peut lire le presse-papiers, ce que vous copiez ici est prêt à être collé là-bas.

viewer-help-keyboard = Au clavier
viewer-help-chord = Appuyez sur Ctrl+Alt+Maj puis relâchez : du bureau aux outils, et retour.
viewer-help-arrows = Les flèches parcourent les outils ; Entrée en actionne un.
viewer-help-escape = Échap ferme le volet ouvert.
viewer-help-tools = Les outils
viewer-help-display = « Affichage » met l’image à l’échelle ou donne au bureau la taille de cette fenêtre, l’allège pour un réseau lent et fait des captures d’écran.
viewer-help-keys = « Touches » envoie ce que votre ordinateur garderait pour lui, comme Ctrl+Alt+Suppr, et maintient Ctrl, Alt ou Super enfoncée.
viewer-help-clipboard = « Presse-papiers » transporte du texte dans les deux sens, dans toutes les écritures.
viewer-help-people = « Qui est là » montre toutes les personnes qui voient ce bureau. Personne ne peut regarder en cachette.
viewer-help-leave = Comment partir
viewer-help-leave-text = Fermez cet onglet ou retournez à vos machines : le bureau continue, et vous le retrouvez comme vous l’avez laissé. Arrêtez-le là-bas quand vous avez fini.

viewer-veil-title = Connexion
viewer-veil-text = Connexion à votre bureau.
viewer-start = Redémarrer
viewer-retry = Réessayer maintenant
viewer-extend = Prolonger
viewer-no-script = JavaScript est désactivé
viewer-no-script-text = Le bureau est dessiné avec JavaScript. Activez-le pour ce site, puis rechargez la page.

### L’écran du bureau : ce que dit son script

viewer-says-not-loaded = La page n’a pas pu se charger
viewer-says-load-again = Une partie de cette page s’est perdue en route. Elle est chargée de nouveau.
viewer-says-load-failed = Une partie de cette page s’est perdue en route, trois fois. Vérifiez votre réseau, puis réessayez.
viewer-says-reconnecting = Reconnexion
viewer-says-restarted = Berth redémarre. Votre bureau continue ; cela ne prend qu’un instant.
viewer-says-runs-again = Votre machine tourne de nouveau.
viewer-says-no-answer-yet = Votre bureau ne répond pas encore.
viewer-says-lost = La connexion est perdue. Votre bureau continue ; ce que vous voyez derrière est ancien.
viewer-says-at-once = Nouvelle tentative immédiate.
viewer-says-in = Nouvelle tentative dans { $time }.

viewer-says-logged-out = Vous êtes déconnecté
viewer-says-logged-out-text = Votre bureau continue de tourner. Reconnectez-vous pour y revenir.
viewer-says-withdrawn = Ce bureau n’est plus partagé avec vous
viewer-says-withdrawn-text = Son propriétaire ou un enseignant a mis fin à votre accès. Demandez-leur si vous en avez encore besoin.
viewer-says-stopped = Cette machine s’est arrêtée
viewer-says-stopped-text = Les fichiers de son dossier personnel sont conservés. Redémarrez-la quand vous en aurez besoin.
viewer-says-frozen = Votre bureau est figé
viewer-says-frozen-text = Personne ne l’utilisait depuis un moment. Reprenez-le pour continuer exactement où vous en étiez.
viewer-says-failed = Cette machine n’a pas démarré
viewer-says-gone = Cette machine n’existe plus
viewer-says-gone-text = Elle a été supprimée, ou elle n’est plus à vous.

viewer-says-left = encore { $time }
viewer-says-soon-away = Personne n’a utilisé cette machine depuis un moment. Elle se fige dans { $time } ; appuyez sur une touche ou bougez la souris sur le bureau pour continuer.
viewer-says-soon-total = Cette machine s’arrête dans { $time } : son temps sera écoulé. Enregistrez votre travail ; vos fichiers sont conservés.
viewer-says-soon-closing = Cette machine s’arrête dans { $time } : ce sera l’heure de fermeture. Enregistrez votre travail ; vos fichiers sont conservés.
viewer-says-soon-busy = Cette machine travaille, mais personne n’est là. Elle se fige dans { $time } ; appuyez sur une touche ou bougez la souris sur le bureau pour continuer.
viewer-says-soon-no-viewer = Personne ne regarde cette machine. Elle se fige dans { $time }.
viewer-says-extending = Un instant…
viewer-says-extended = Vous avez plus de temps maintenant.
viewer-says-not-extended = Cela n’a pas marché. Réessayez dans un instant.

viewer-says-slow-network = Votre réseau est lent
viewer-says-slow-network-text = Ce que vous faites arrive en retard. Une qualité plus basse, sous « Affichage », peut aider.
viewer-says-no-network = Votre réseau ne répond pas
viewer-says-no-network-text = Rien ne passe pour le moment. Votre bureau continue.
viewer-says-frozen-desktop = Le bureau ne répond pas
viewer-says-frozen-desktop-text = Votre réseau va bien. Attendez un peu ; si cela dure, redémarrez la machine.

viewer-says-watching-one = { $names } regarde
viewer-says-watching-many = { $names } regardent
viewer-says-helping-one = { $names } peut utiliser ce bureau avec vous
viewer-says-helping-many = { $names } peuvent utiliser ce bureau avec vous
viewer-says-you = { $name } (vous)
viewer-says-role-owner = Propriétaire

### Partager par un lien

invite-new = Créer un lien
invite-new-text = Toute personne qui a le lien et un compte ici peut ouvrir cette machine, jusqu’à la fin du lien.
invite-lasts = Combien de temps fonctionne-t-il ?
invite-lasts-10m = 10 minutes
invite-lasts-1h = 1 heure
invite-lasts-today = Le reste de la journée
invite-lasts-custom = Une autre durée :
invite-lasts-wrong = Tapez un nombre entier ; un lien fonctionne 30 jours au plus.
invite-number = Nombre
invite-unit = Unité
invite-minutes = minutes
invite-hours = heures
invite-days = jours
invite-most = Pour combien de personnes ? (Laissez vide pour ne pas limiter.)
invite-most-wrong = Tapez un nombre entier de 1 à 100, ou laissez vide.
invite-button = Créer le lien
invite-made = Votre lien est prêt
invite-made-text = Copiez-le maintenant et envoyez-le aux personnes de votre choix. Il n’est affiché que cette fois ; Berth n’en garde aucune copie.
invite-link = Le lien
invite-copy = Copier
invite-copied = Copié.
invite-links = Liens en vigueur
invite-made-by = créé par
invite-came = { $came ->
    [0] personne n’est encore venu
    [one] { $came } personne est venue
   *[other] { $came } personnes sont venues
}
invite-came-of = { $came } sur { $most } sont venues
invite-withdraw = Retirer le lien
invite-withdraw-text = Retirer un lien met aussi fin à l’accès de toutes les personnes venues par lui.
invite-by-link = par un lien

join-title = Une invitation pour vous
join-text = Quelqu’un veut vous montrer une machine. À vous de voir si vous voulez y jeter un œil.
join-machine = Machine
join-owner = Appartient à
join-may = Ce que vous pouvez faire
join-until = Fin
join-in = dans { $time }
join-button = Accepter et ouvrir
join-no = Pas maintenant
join-own = C’est votre propre machine
join-own-text = Le lien fonctionne. Envoyez-le aux personnes de votre choix ; vous n’en avez pas besoin.
join-manage = Voir ses liens
join-granted = Vous pouvez déjà l’ouvrir
join-granted-text = Cette machine est partagée avec vous : vous n’avez pas besoin de lien.
join-gone = Ce lien ne mène plus nulle part
viewer-says-role-helper = Aide : peut utiliser le clavier et la souris
viewer-says-role-observer = Regarde : ne peut rien changer
viewer-says-since = depuis { $time }
viewer-says-nobody = Personne d’autre n’est là.
viewer-says-count = Qui est là : { $count }

viewer-says-copied-both = Copié sur le bureau, et sur cet ordinateur.
viewer-says-copied-desktop = Copié sur le bureau.
viewer-says-sent = Envoyé. Collez-le sur le bureau avec Ctrl+V.
viewer-says-copied = Copié sur cet ordinateur.
viewer-says-copy-refused = Votre navigateur ne le permet pas. Appuyez sur Ctrl+C pour copier le texte sélectionné.
viewer-says-shot = Capture enregistrée : { $file }
viewer-says-down = { $key } est maintenue
viewer-says-up = { $key } est relâchée

### Partage

do-share = Partager…
here-helper = { $name } est là et peut l’utiliser.
here-observer = { $name } regarde.
role-helper = Aide
role-helper-may = Voit l’écran et peut utiliser le clavier, la souris et le presse-papiers, comme vous.
role-helper-yours = Vous voyez son écran et pouvez l’utiliser. Son propriétaire voit que vous êtes là.
role-observer = Observation
role-observer-may = Voit seulement l’écran. Rien de ce qui est tapé ou cliqué n’atteint la machine.
role-observer-yours = Vous voyez son écran ; ce que vous tapez ou cliquez ne l’atteint pas. Son propriétaire voit que vous êtes là.

### Partage
share-title = Partager
share-belongs = Cette machine appartient à
share-seen = Sur cette page, son propriétaire voit qui a été invité, et par qui.
share-not = Seuls les bureaux peuvent être partagés. Cette machine est une application web, que seul son propriétaire ouvre.
share-may = Qui peut l’ouvrir
share-nobody-else = Personne d’autre.
share-ends = se termine dans
share-endless = jusqu’au retrait
share-by = donné par
share-withdraw = Retirer
share-here = Qui est connecté maintenant
share-nobody = Personne.
share-new = Inviter quelqu’un par son nom
share-name = Son nom d’utilisateur
share-name-missing = Tapez le nom avec lequel cette personne se connecte.
share-name-unknown = Personne ne porte ce nom. Vérifiez l’orthographe.
share-role = Que peut faire cette personne ?
share-role-missing = Choisissez ce que cette personne peut faire.
share-lasts = Pour combien de temps ?
share-give = Partager la machine
share-back = Retour
shared-title = Partagées avec vous
shared-of = Appartient à
shared-resting = À l’arrêt pour l’instant
role-owner = Propriétaire

### Modèles et images

template-cores = { $cores ->
    [one] { $cores } cœur
   *[other] { $cores } cœurs
}
template-memory-gib = { $number } Gio de mémoire
template-memory-mib = { $number } Mio de mémoire
template-network-internal = sans internet
template-network-egress = internet
template-home-persistent = dossier personnel conservé
template-home-session = dossier personnel conservé avec la machine
template-home-ephemeral = rien n’est conservé
template-away = se fige après { $time } sans utilisation
template-total = s’arrête après { $time }
create-missing = Pas encore installé sur le serveur. Demandez-le à votre administrateur.
update-ready = Une nouvelle version est prête. Elle arrive au prochain démarrage ou redémarrage : les fichiers du dossier personnel sont conservés, ce qui a été modifié ailleurs ne l’est pas.
update-ready-all = Une nouvelle version est prête. Elle arrive au prochain démarrage ou redémarrage et remplace la machine avec tous ses fichiers : copiez d’abord ce dont vous avez besoin.
admin-update = nouvelle image prête
do-restart-new = Redémarrer avec la nouvelle version
nav-images = Modèles
images-title = Modèles et images
images-text = Ce dont les machines sont faites. Une machine existante reçoit une image plus récente à son prochain démarrage ou redémarrage.
images-template = Modèle
images-image = Image
images-here = Sur ce serveur
images-policy = Récupérée
image-present = installée
image-missing = pas installée
image-unknown = inconnu pour l’instant
image-command = Pour l’installer :
image-version = version
image-pull = Récupérer
image-built-here = Construite ici avec :
pull-never = sur demande
pull-missing = quand elle manque
pull-daily = chaque jour
pull-waiting = Elle attend que d’autres soient récupérées.
pull-running = Récupération en cours : { $bytes }, { $done } couches sur { $layers }.
pull-done = Récupérée le { $at }.
pull-failed = Elle n’a pas pu être récupérée : { $detail }

tokens-title = Jetons de programmes
tokens-title-own = Mes jetons pour des programmes
tokens-text-own = Avec un jeton, un programme agit en votre nom, sur vos propres machines. Qui le possède peut faire ce qu’il permet : gardez-le comme un mot de passe.
tokens-text-all = Tous les jetons, y compris ceux des utilisateurs. Un jeton qui n’agit au nom de personne agit sur les machines de tous.
tokens-made = Jeton créé :
tokens-once = Copiez-le maintenant. Personne ne pourra plus le lire.
tokens-empty = Il n’y a aucun jeton.
tokens-name = Nom
tokens-scopes = Sert à
tokens-scopes-missing = Choisissez au moins une chose à laquelle il peut servir.
tokens-user = Agit au nom de
tokens-by = Créé par
tokens-lapses = Prend fin dans
tokens-endless = Jusqu’à sa révocation
tokens-days = { $days } jours
tokens-used = Dernier usage
tokens-unused = Jamais
tokens-revoke = Révoquer
tokens-new = Nouveau jeton
tokens-may = À quoi peut-il servir ?
tokens-may-admin = Tout ce que peut un administrateur
tokens-may-sessions-read = Consulter les machines
tokens-may-sessions-write = Créer, modifier et supprimer des machines
tokens-may-users-write = Consulter et modifier les utilisateurs
tokens-as = Agit au nom de cet utilisateur (vide : de personne, sur les machines de tous)
tokens-lasts = Pour combien de temps ?
tokens-make = Créer
tokens-all = Tous les jetons

### Liens de kiosque

links-text = Des adresses qui font une seule chose pour qui les possède, sans connexion : pour les écrans des clients. Regarder la page d’un lien ne le consomme pas ; son bouton, si.
links-made = Lien créé :
links-once = Copiez l’adresse maintenant. Personne ne pourra plus la lire.
links-empty = Il n’y a aucun lien.
links-does = Ce qu’il fait
links-client = Client
links-every-client = tous les clients
links-used = Utilisé
links-spent = épuisé
links-lapses = Prend fin dans
links-by = Créé par
links-revoke = Révoquer
links-new = Nouveau lien
links-do = Que doit-il faire ?
links-do-access = Ouvrir l’écran d’un client
links-do-access-text = Crée la session de ce client, ou la retrouve, et y admet le navigateur.
links-do-remove = Supprimer l’écran d’un client
links-do-remove-text = Met fin aussitôt à la session de ce client.
links-do-remove-all = Supprimer tous les écrans
links-do-remove-all-text = Met fin aussitôt aux sessions de tous les clients. Les bureaux des personnes restent.
links-do-missing = Choisissez ce qu’il doit faire.
links-id = Identifiant du client (sauf pour tous les écrans)
links-id-note = Le texte sous lequel les scripts connaissent l’écran, exactement comme ils l’écrivent.
links-id-missing = Saisissez l’identifiant du client.
links-lasts = Pour combien de temps ?
links-uses = Combien de fois peut-il servir ?
links-uses-wrong = Saisissez un nombre entier de 1 à 10000.
links-make = Créer

### Statistiques

nav-stats = Statistiques
stats-title = Statistiques
stats-range = Période
stats-hour = Dernière heure
stats-day = Dernier jour
stats-month = 30 derniers jours
stats-none = Aucune mesure n’a encore été prise. Les premiers chiffres arrivent dans la minute qui suit le démarrage.
stats-server = Serveur
stats-sessions = Machines
stats-running = { $count ->
    [one] { $count } prête
   *[other] { $count } prêtes
}
stats-cpu = Processeur
stats-cpu-core = Processeur (un cœur)
stats-memory = Mémoire
stats-disk = Disque
stats-disk-engine = des machines
stats-disk-store = de la base de données
stats-starts = Démarrages
stats-starts-ok = réussis
stats-starts-failed = échoués
stats-starts-now = { $starts } réussis, { $failed } échoués
stats-disk-traffic = Accès au disque
stats-read = lus
stats-written = écrits
stats-network = Réseau
stats-received = reçus
stats-sent = envoyés
stats-rate = { $size }/s
stats-of = { $used } sur { $total }
stats-percent = { $number } %
stats-busiest = Machines les plus actives
stats-idle = Aucune machine n’est en marche.
stats-more = { $count ->
    [one] { $count } autre est en marche.
   *[other] { $count } autres sont en marche.
}
stats-session-none = On ne sait encore rien de cette machine. Les chiffres arrivent pendant qu’elle est en marche.

chart-table = Sous forme de tableau
chart-time = Heure
chart-now = maintenant
chart-minutes = −{ $count } min
chart-hours = −{ $count } h
chart-days = −{ $count } j
chart-over-hour = sur la dernière heure
chart-over-day = sur le dernier jour
chart-over-month = sur les 30 derniers jours
chart-description = { $title } { $range }, { $most } au plus. Le tableau ci-dessous donne les chiffres.

### Capacité

nav-capacity = Capacité
capacity-title = Capacité
capacity-text = Combien de machines ce serveur peut encore accueillir. C’est ce qu’une machine a le droit d’utiliser qui compte, pas ce qu’elle utilise en ce moment. Seul le nombre de machines est une limite qui refuse ; tout le reste n’est que montré.
capacity-more = Place restante
capacity-room = Encore
capacity-by = Limité par
capacity-each = Chaque ressource en permet
capacity-bound = { $resource }
capacity-fits = { $resource } { $more }
capacity-resources = Ressources
capacity-reserved = réservé par les machines
capacity-free = libre
capacity-used = utilisé en ce moment
capacity-binds = limite
capacity-line = { $reserved } sur { $promised } réservés, { $free } libres. Utilisés en ce moment : { $used } sur { $total }.
capacity-kept = { $kept } sont gardés pour le système, ou utilisés à côté des machines.
capacity-memory = mémoire
capacity-cpu = processeur
capacity-sessions = nombre de machines
capacity-pids = processus
capacity-disk = disque
capacity-addresses-internal = adresses sans internet
capacity-addresses-egress = adresses avec internet
capacity-addresses-own = réseaux particuliers
### One's own account: how pages are read, and logins

account-must = Votre mot de passe a été choisi pour vous. Choisissez-en un à vous avant de continuer.
account-chosen = Votre choix vaut sur tous vos appareils.
account-ended = La connexion est terminée.
choices-title = Langue et apparence
choices-text = Votre choix vaut sur toutes les pages et sur tous vos appareils.
choices-language = Langue
choices-look = Apparence
language-browser = Celle du navigateur
language-english = English
language-french = Français
look-system = Comme l’appareil
look-light = Claire
look-dark = Sombre
logins-title = Mes connexions
logins-text = Là où vous êtes connecté. Si vous n’en reconnaissez pas une, terminez-la et changez de mot de passe.
logins-this = celle-ci
logins-end = Terminer
logins-end-others = { $count ->
    [one] Terminer l’autre connexion
   *[other] Terminer les { $count } autres
}
browser-on = { $browser } sous { $system }
browser-unknown = un navigateur que nous ne connaissons pas
browser-unknown-on = un navigateur sous { $system }

### The admin's pages of users

nav-users = Utilisateurs
role-admin = Administrateur
role-user = Utilisateur
users-create = Nouvel utilisateur
users-create-button = Créer l’utilisateur
users-created = L’utilisateur est créé
users-created-text = Donnez ce mot de passe à { $name } pour la première connexion.
users-name = Nom
users-role = Rôle
users-password = Mot de passe
users-password-note = Au moins 8 caractères. Laissez vide pour en faire créer un, que vous verrez une seule fois.
users-must-change = À changer à la première connexion
users-must = doit changer de mot de passe
users-password-made = Le nouveau mot de passe
users-made-text = Donnez ce mot de passe à { $name }. L’ancien ne fonctionne plus.
users-made-once = Il n’est montré que cette fois : personne ne pourra le retrouver ensuite.
users-made-on = À la page de l’utilisateur
users-back = Tous les utilisateurs
users-removed = { $name } a été supprimé.
users-filter = Chercher des utilisateurs
users-filter-button = Afficher
users-search = Partie du nom
users-any = Tous
users-state = État
users-active = actif
users-disabled = désactivé
users-sort = Ordre
users-count = { $count ->
    [one] { $count } utilisateur
   *[other] { $count } utilisateurs
}
users-import = Importer une liste
users-export = Exporter
users-none = Aucun utilisateur ne correspond.
users-machines = Machines
users-running = en marche :
users-home = Fichiers
users-created-at = Créé
users-last-login = Dernière connexion
users-never = jamais
users-pages = Parties de la liste
users-first = Depuis le début
users-previous = Partie précédente
users-next = Partie suivante

user-own = C’est vous.
user-access = Accès
user-disable = Désactiver
user-disable-text = Un utilisateur désactivé ne peut pas se connecter, et il est déconnecté aussitôt. Ses machines et ses fichiers restent.
user-enable = Réactiver
user-enable-text = Cet utilisateur ne peut pas se connecter. Réactivé, il le pourra de nouveau.
user-role-text = Qui change de rôle est déconnecté et se reconnecte.
user-role-button = Changer le rôle
user-password-text = Crée un nouveau mot de passe, que vous verrez une seule fois. L’utilisateur est déconnecté partout.
user-password-button = Créer un nouveau mot de passe
user-no-machines = Cet utilisateur n’a pas de machine.
user-machines-on = À toutes les machines
user-logins = Connexions
user-no-logins = Cet utilisateur n’est pas connecté.
user-logins-end = Terminer toutes les connexions
user-delete = Supprimer l’utilisateur
user-delete-text = Vous verrez d’abord ce que deviennent ses machines et ses fichiers.
user-delete-button = Supprimer …
user-done-created = L’utilisateur est créé.
user-done-disabled = L’utilisateur est désactivé et déconnecté.
user-done-enabled = L’utilisateur peut de nouveau se connecter.
user-done-role = Le rôle a été changé.
user-done-limits = Les limites valent dès le prochain démarrage d’une machine.
user-done-logins = Ce qui était demandé est terminé.

user-home-unknown = La place que prennent ses fichiers n’est pas encore connue.
user-home-looked = Relevé :
user-done-restored = La copie est remise en place. Ce que contenait le dossier personnel est maintenant une copie.
user-done-restoring = La copie est en train d’être remise en place. Cela prend du temps et continue tout seul ; le journal dira comment cela s’est terminé.
copies-title = Copies de ces fichiers
copies-none = Il n’y en a pas. Vider le dossier personnel d’une machine en fait une.
copies-unknown = Le serveur ne dit pas pour l’instant quelles copies existent. Rechargez la page plus tard.
copies-restore = Remettre en place…
copies-restoring = Une copie est en train d’être remise dans ce dossier personnel. Tant que ce n’est pas fini, aucune machine ne démarre avec lui.
copy-restore = Remettre en place les fichiers de
copy-restore-text = Le dossier personnel redevient ce qu’il était le { $time }.
copy-restore-keeps = Ce qu’il contient maintenant devient à son tour une copie, qui pourra elle aussi être remise en place.
copy-restore-button = Remettre cette copie en place
copy-leave = Laisser le dossier tel quel
copy-in-use = « { $name } » ({ $label }) tourne avec ces fichiers. Arrêtez-la d’abord, puis remettez la copie en place.
copy-in-use-go = Afficher cette machine

limits-title = Limites
limits-text = Pour cet utilisateur seulement. Ce qui est vide suit les réglages généraux.
limits-sessions = Machines au plus
limits-cpus = Cœurs de toutes les machines en marche
limits-memory = Mémoire de toutes les machines en marche, en Mio
limits-templates = Types de machines, séparés par des espaces
limits-general = En général
limits-none = sans limite
limits-all = tous
limits-button = Enregistrer les limites
limits-sessions-wrong = Le nombre de machines doit être un nombre entier jusqu’à 10000.
limits-cpus-wrong = Les cœurs doivent être un nombre jusqu’à 1024.
limits-memory-wrong = La mémoire doit être un nombre entier de Mio.
limits-templates-wrong = Les types de machines sont des noms séparés par des espaces ; un tiret signifie aucun.
limits-templates-unknown = L’un de ces types de machines n’existe pas.

delete-logins = L’utilisateur est déconnecté aussitôt et ne peut plus se connecter.
delete-no-machines = Il n’a pas de machine.
delete-machines = { $count ->
    [one] Cette machine est supprimée : { $names } (en marche : { $running }).
   *[other] Ces { $count } machines sont supprimées : { $names } (en marche : { $running }).
}
delete-own-homes = { $count ->
    [one] L’une d’elles a ses propres fichiers, qui disparaissent avec elle.
   *[other] { $count } d’entre elles ont leurs propres fichiers, qui disparaissent avec elles.
}
delete-home = Ses fichiers se trouvent ici :
delete-home-size = Ses fichiers ({ $size }) se trouvent ici :
delete-no-home = Il n’a pas de fichiers à conserver.
delete-home-unknown = Le serveur ne dit pas en ce moment s’il a des fichiers.
delete-choice = Que deviennent ses fichiers ?
delete-keep = Les conserver
delete-keep-text = Ils restent où ils sont, sous ce nom, jusqu’à ce que quelqu’un les y supprime.
delete-remove = Les supprimer
delete-remove-text = Définitivement, avec toutes leurs copies.
delete-last = L’utilisateur et ses machines ne pourront pas être rétablis.
delete-button = Supprimer définitivement l’utilisateur

import-title = Importer des utilisateurs
import-text = Depuis une feuille de calcul enregistrée en CSV. Vous verrez d’abord ce qui arriverait à chaque ligne ; rien ne change avant que vous le disiez. Le mot de passe d’un utilisateur qui existe déjà n’est jamais changé.
import-file = Un fichier
import-paste = Ou le texte lui-même
import-columns = La première ligne nomme les colonnes, dans n’importe quel ordre ; seule name est nécessaire :
import-try = Voir ce qui arriverait
import-gone = Cet essai est trop ancien. Recommencez.
import-shown = Ce qui arriverait
import-shown-text = { $count ->
    [one] Une ligne a été lue. Rien n’a encore été changé.
   *[other] { $count } lignes ont été lues. Rien n’a encore été changé.
}
import-running = L’importation est en cours
import-running-text = { $done } lignes sur { $count } sont faites. Vous pouvez quitter cette page ; cela continue sans vous.
import-ended = Ce qui a été fait
import-ended-text = { $count ->
    [one] La ligne est faite.
   *[other] Les { $count } lignes sont faites.
}
import-will-make = { $count ->
    [one] L’un d’eux n’a pas de mot de passe et en reçoit un. Vous pourrez ensuite le prendre une seule fois.
   *[other] { $count } d’entre eux n’ont pas de mot de passe et en reçoivent un. Vous pourrez ensuite les prendre une seule fois.
}
import-made = { $count ->
    [one] Un mot de passe a été créé pour un utilisateur. Prenez-le maintenant : on ne peut le prendre qu’une fois, et personne ne pourra le retrouver ensuite.
   *[other] Des mots de passe ont été créés pour { $count } utilisateurs. Prenez-les maintenant : on ne peut les prendre qu’une fois, et personne ne pourra les retrouver ensuite.
}
import-passwords = Prendre les mots de passe
import-do = Faire exactement cela
import-again = Une autre liste
import-count-created = Créés
import-count-changed = Changés
import-count-exists = Laissés tels quels
import-count-refused = Refusés
import-line = Ligne
import-results = Toutes les lignes dans un fichier (CSV)
import-result = Résultat
import-detail = Pourquoi
import-created = créé
import-changed = changé
import-exists = existe
import-refused = refusé
import-more = { $count ->
    [one] Une ligne de plus n’est pas montrée.
   *[other] { $count } lignes de plus ne sont pas montrées.
}
import-field-disabled = accès
import-field-limits = limites
import-field-role = rôle
### Administration

nav-log = Journal
nav-settings = Réglages
nav-tokens = Jetons
nav-links = Liens de kiosque
filter-any = Indifférent
filter-show = Afficher
filter-all = Tout afficher
pages = Pages

### Le journal

log-title = Journal
log-text = Qui a fait quoi, et comment cela s’est terminé. Rien ne peut y être modifié sans que cela se voie.
log-event = Événement
log-outcome = Résultat
log-actor = Qui
log-target = Quoi ou qui
log-since = Depuis
log-until = Jusqu’à
log-times = Heures en UTC : 2026-01-31, 2026-01-31T08:15, ou il y a combien de temps : 30m, 12h, 7d.
log-time-unread = Ce n’est pas une date. Écrivez 2026-01-31T08:15, ou 12h pour il y a douze heures.
log-live = Les nouvelles lignes apparaissent ici au fil de l’eau.
log-newest = Aller aux lignes les plus récentes
log-newer = Lignes plus récentes
log-older = Lignes plus anciennes
log-export = Tout ce qui répond à ces critères, en fichier :
log-jsonl = lignes JSON
log-csv = table CSV
log-empty = Aucune ligne ne répond à ces critères.
log-when = Quand
log-what = Ce qui s’est passé
log-raw = Ligne { $number } telle qu’enregistrée
log-outcome-ok = Fait
log-outcome-refused = Refusé
log-outcome-failed = Échoué
log-group-sessions = Machines
log-group-logins = Connexions
log-group-users = Utilisateurs
log-group-viewers = Observation et aide
log-group-grants = Partage
log-group-images = Images
log-group-homes = Fichiers
log-group-server = Serveur
log-actor-anonymous = Quelqu’un
log-actor-cli = La ligne de commande
log-actor-system = Le serveur
log-actor-token = Le jeton de l’API
log-unknown = { $actor } : { $event } { $target }
log-access-refused = { $code ->
    [admin_only] { $actor } a demandé { $target }, réservé aux administrateurs.
    [session_unknown] { $actor } a demandé { $target }, qui est à quelqu’un d’autre.
   *[other] { $actor } a demandé { $target } sans y avoir droit.
}
log-audit-exported = { $actor } a pris une copie de ce journal.
log-audit-trimmed = { $lines } anciennes lignes ont été retirées de ce journal : elles sont conservées { $days } jours.
log-config-danger = Le serveur fonctionne avec un réglage qui affaiblit la sécurité : { $key }
log-gateway-started = Le serveur est entré en service.
log-gateway-stopped = Le serveur a reçu l’ordre de s’arrêter.
log-grant-created = { $actor } a partagé { $target } avec { $grantee }, qui peut { $role ->
    [helper] l’utiliser
   *[observer] l’observer
}.
log-grant-lapsed = Le temps pendant lequel { $grantee } pouvait ouvrir { $target } est écoulé.
log-grant-not-created = { $actor } a demandé à partager { $target } avec { $grantee } ; cela n’a pas été fait.
log-grant-withdrawn = { $actor } ne partage plus { $target } avec { $grantee }.
log-home-not-restored = { $actor } a demandé à remettre une copie dans le dossier personnel de { $target } ; cela n’a pas été fait.
log-home-restored = { $actor } a remis la copie { $copy } dans les fichiers de { $target }.
log-home-set-aside = { $actor } a fait mettre de côté les fichiers de { $target } sous le nom { $copy }.
log-image-not-pulled = { $actor } a fait télécharger l’image { $image } de { $template } ; cela a échoué.
log-image-pulled = { $actor } a fait télécharger l’image { $image } de { $template }.
log-login-ok = { $actor } s’est connecté.
log-login-refused = { $reason ->
    [unknown_user] Quelqu’un a tenté de se connecter sous un nom qui n’existe pas.
    [disabled] { $target } a tenté de se connecter et est désactivé.
    [throttled] Trop de connexions ont échoué ; les suivantes sont refusées un moment.
   *[wrong_password] Quelqu’un a tenté de se connecter comme { $target } avec un mot de passe erroné.
}
log-logout = { $actor } s’est déconnecté.
log-session-created = { $whose ->
    [client] { $actor } a créé « { $name } » ({ $target }) pour le client { $client } à partir de { $template }.
    [own] { $actor } a créé « { $name } » ({ $target }) à partir de { $template }.
    [other] { $actor } a créé « { $name } » ({ $target }) pour { $owner } à partir de { $template }.
   *[unknown] { $actor } a créé { $target } à partir de { $template }.
}
log-session-extended = { $actor } a donné plus de temps à { $target } : { $time }.
log-session-failed = { $target } n’a pas démarré. { $why }
log-session-not-changed = { $actor } a demandé à { $change ->
    [start] démarrer
    [stop] arrêter
    [restart] redémarrer
    [reset] remettre à neuf
    [reset_home] remettre à neuf, dossier personnel compris,
    [remove] supprimer
    [pause] figer
    [resume] reprendre
   *[extend] prolonger
} { $target } ; cela n’a pas été fait.
log-session-not-created = { $actor } a demandé une machine { $name } à partir de { $template } ; elle n’a pas été créée.
log-session-not-ended = { $actor } a demandé à { $change ->
    [restart] redémarrer
    [reset] remettre à neuf
    [reset_home] remettre à neuf, dossier personnel compris,
    [remove] supprimer
   *[stop] arrêter
} { $target } ; cela n’a pas encore réussi et sera retenté.
log-session-paused = { $actor } a figé { $target }.
log-session-ready = { $target } est prête à l’emploi.
log-session-removed = { $whose ->
    [client] { $actor } a supprimé « { $name } » ({ $target }) du client { $client }.
    [own] { $actor } a supprimé « { $name } » ({ $target }).
    [other] { $actor } a supprimé « { $name } » ({ $target }) de { $owner }.
   *[unknown] { $actor } a supprimé { $target }.
}
log-session-reset = { $home ->
    [true] { $actor } a remis à neuf { $target } et son dossier personnel, dont les fichiers sont mis de côté dans une copie.
   *[false] { $actor } a remis à neuf { $target } : tout est refait, sauf le dossier personnel.
}
log-session-restarted = { $actor } a redémarré { $target }.
log-session-resumed = { $actor } a repris { $target }.
log-session-started = { $actor } a démarré { $target }.
log-session-stopped = { $actor } : { $target } s’est arrêtée. { $why }
log-user-created = { $actor } a créé { $role ->
    [admin] l’administrateur
   *[user] l’utilisateur
} { $target }.
log-user-disabled = { $actor } a désactivé l’utilisateur { $target }.
log-user-enabled = { $actor } a réactivé l’utilisateur { $target }.
log-user-password-changed = { $actor } a changé le mot de passe de { $target }.
log-user-removed = { $actor } a retiré l’utilisateur { $target }.
log-view-only-attempt = { $actor } ne peut qu’observer { $target } et a tenté de l’utiliser. Rien ne lui est parvenu.
log-viewer-joined = { $actor } a commencé à { $role ->
    [helper] utiliser
   *[observer] observer
} { $target }.
log-backup-failed = { $actor } a demandé une sauvegarde ; elle n’a pas été faite.
log-backup-made = { $actor } a fait la sauvegarde { $target } : { $parts } ; { $size }.
log-home-removed = { $actor } a supprimé les fichiers de { $target } et toutes leurs copies.
log-invitation-created = { $actor } a créé un lien vers { $target } : qui le suit peut { $role ->
    [helper] l’utiliser
   *[observer] regarder
  }.
log-invitation-not-created = { $actor } a demandé un lien vers { $target } ; il n’a pas été créé.
log-invitation-refused = { $code ->
    [invitation_gone] { $actor } a suivi un lien qui n’est plus valable et n’a pas pu entrer.
    [invitation_returned] { $actor } a suivi de nouveau un lien après la fin de son accès et n’a pas pu entrer.
    [invitation_spent] { $actor } a suivi un lien dont toutes les places sont prises et n’a pas pu entrer.
   *[other] { $actor } a suivi un lien et n’a pas pu entrer.
}
log-invitation-used = { $actor } est venu sur { $target } par un lien.
log-invitation-withdrawn = { $actor } a retiré un lien vers { $target }.
log-login-ended = { $actor } a mis fin à une connexion de { $target }.
log-restore-failed = { $actor } a demandé de restaurer une sauvegarde ; cela n’a pas réussi.
log-restored = { $actor } a restauré une sauvegarde.
log-token-created = { $bound ->
    [yes] { $actor } a créé le jeton { $target }, qui agit au nom de { $user }. Il sert à : { $scopes }
   *[no] { $actor } a créé le jeton { $target }, qui n’agit au nom de personne. Il sert à : { $scopes }
}
log-token-refused = { $actor } a demandé plus que ne permettent ses jetons : { $scopes }. Cela a été refusé.
log-token-revoked = { $actor } a révoqué le jeton { $target }, ou il est parti avec son utilisateur.
log-user-limits-changed = { $actor } a changé les limites de { $target } : { $limits }.
log-limits = machines { $sessions }, cœurs { $cpus }, mémoire en Mio { $memory }, types de machines { $templates }
log-limits-general = comme en général
log-limits-none = aucun
log-user-refused = { $change ->
    [create] { $actor } a demandé un utilisateur { $target }, qui n’a pas été créé.
    [set_password] { $actor } a demandé à donner à { $target } un autre mot de passe ; cela n’a pas été fait.
    [change_password] { $actor } a demandé à changer de mot de passe ; cela n’a pas été fait.
    [set_role] { $actor } a demandé à changer les droits de { $target } ; cela n’a pas été fait.
    [set_limits] { $actor } a demandé à changer les limites de { $target } ; cela n’a pas été fait.
    [disable] { $actor } a demandé à désactiver l’utilisateur { $target } ; cela n’a pas été fait.
    [enable] { $actor } a demandé à réactiver l’utilisateur { $target } ; cela n’a pas été fait.
    [remove] { $actor } a demandé à retirer l’utilisateur { $target } ; cela n’a pas été fait, ou pas jusqu’au bout.
    [import] { $actor } a importé une liste d’utilisateurs, et { $target } a été laissé de côté.
   *[other] { $actor } a demandé à modifier { $target } ; cela a été refusé.
}
log-user-role-changed = { $actor } a fait de { $target } { $role ->
    [admin] un administrateur
   *[user] un utilisateur
  }.
log-users-imported = { $actor } a importé une liste d’utilisateurs. Créés : { $created }, modifiés : { $changed }, refusés : { $refused }.
log-viewer-left = { $actor } a quitté { $target } après { $time }.
log-part-config = configuration
log-part-homes = dossiers personnels
log-part-images = images
log-part-store = base de données

# Les événements par un nom court, pour les choisir.
log-kind-access-refused = Accès refusé
log-kind-audit-exported = Journal exporté
log-kind-audit-trimmed = Anciennes lignes retirées
log-kind-backup-failed = Sauvegarde échouée
log-kind-backup-made = Sauvegarde faite
log-kind-config-danger = Réglage qui affaiblit la sécurité
log-kind-entry-given = Navigateur admis sans connexion
log-kind-gateway-started = Serveur en service
log-kind-gateway-stopped = Serveur arrêté
log-kind-grant-created = Partage accordé
log-kind-grant-lapsed = Partage échu
log-kind-grant-not-created = Partage non accordé
log-kind-grant-withdrawn = Partage retiré
log-kind-home-removed = Dossier personnel supprimé
log-kind-home-not-restored = Copie non remise en place
log-kind-home-restored = Copie remise en place
log-kind-home-set-aside = Dossier personnel mis de côté
log-kind-image-not-pulled = Image non téléchargée
log-kind-image-pulled = Image téléchargée
log-kind-invitation-created = Invitation créée
log-kind-invitation-not-created = Invitation non créée
log-kind-invitation-refused = Invitation refusée
log-kind-invitation-used = Invitation utilisée
log-kind-invitation-withdrawn = Invitation retirée
log-kind-link-created = Lien d’un client créé
log-kind-link-refused = Lien d’un client refusé
log-kind-link-revoked = Lien d’un client révoqué
log-kind-link-used = Lien d’un client utilisé
log-kind-login-ended = Fin d’une connexion
log-kind-login-ok = Connexion
log-kind-login-refused = Connexion refusée
log-kind-logout = Déconnexion
log-kind-restore-failed = Restauration échouée
log-kind-restored = Sauvegarde restaurée
log-kind-session-created = Machine créée
log-kind-session-extended = Temps ajouté
log-kind-session-failed = Démarrage échoué
log-kind-session-not-changed = Machine non modifiée
log-kind-session-not-created = Machine non créée
log-kind-session-not-ended = Arrêt ou suppression en échec
log-kind-session-paused = Machine figée
log-kind-session-ready = Machine prête
log-kind-session-removed = Machine supprimée
log-kind-session-reset = Machine remise à neuf
log-kind-session-restarted = Machine redémarrée
log-kind-session-resumed = Machine reprise
log-kind-session-started = Machine démarrée
log-kind-session-stopped = Machine arrêtée
log-kind-token-created = Jeton créé
log-kind-token-refused = Jeton refusé
log-kind-token-revoked = Jeton révoqué
log-kind-user-created = Utilisateur créé
log-kind-user-disabled = Utilisateur désactivé
log-kind-user-enabled = Utilisateur réactivé
log-kind-user-limits-changed = Limites changées
log-kind-user-password-changed = Mot de passe changé
log-kind-user-refused = Utilisateur non créé ou modifié
log-kind-user-removed = Utilisateur retiré
log-kind-user-role-changed = Rôle changé
log-kind-users-imported = Liste d’utilisateurs importée
log-kind-view-only-attempt = Tentative d’un observateur
log-kind-viewer-joined = Arrivée d’un observateur ou d’une aide
log-kind-viewer-left = Départ d’un observateur ou d’une aide

### Les machines de tous

admin-search = Chercher un nom, un propriétaire, une étiquette ou un type
admin-reason = Pourquoi elle s’est terminée
admin-found = { $count ->
    [one] { $count } machine
   *[other] { $count } machines
}
admin-pick = Choisir { $name }
admin-pick-all = Choisir toutes les machines de cette page
admin-chosen = Celles qui sont cochées :
admin-picked = { $count } cochées :
admin-others = { $count } de plus entre-temps. Les afficher.
admin-others-short = Les afficher.
admin-gone = Supprimée
admin-none-fit = Aucune machine ne répond à ces critères.
page-previous = Page précédente
page-next = Page suivante
bulk-do-stop = Arrêter…
bulk-do-restart = Redémarrer…
bulk-do-delete = Supprimer…
bulk-delete = { $count ->
    [one] Supprimer cette machine ?
   *[other] Supprimer ces { $count } machines ?
}
bulk-delete-button = { $count ->
    [one] Supprimer une machine
   *[other] Supprimer { $count } machines
}
bulk-delete-done = Ce qui a été supprimé
bulk-restart = { $count ->
    [one] Redémarrer cette machine ?
   *[other] Redémarrer ces { $count } machines ?
}
bulk-restart-button = { $count ->
    [one] Redémarrer une machine
   *[other] Redémarrer { $count } machines
}
bulk-restart-done = Ce qui a été redémarré
bulk-stop = { $count ->
    [one] Arrêter cette machine ?
   *[other] Arrêter ces { $count } machines ?
}
bulk-stop-button = { $count ->
    [one] Arrêter une machine
   *[other] Arrêter { $count } machines
}
bulk-stop-done = Ce qui a été arrêté
bulk-restart-ends = Les programmes ouverts se ferment, et ce qui n’y est pas enregistré est perdu. Ensuite elle redémarre.
bulk-restart-starts = Elle est au repos et sera démarrée.
bulk-stop-ends = Les programmes ouverts se ferment, et ce qui n’y est pas enregistré est perdu.
bulk-stop-nothing = Elle est déjà au repos : rien ne se passe.
bulk-keeps = Ses fichiers sont conservés.
bulk-at-rest = Elle est au repos.
bulk-effect = Ce que cela fait
bulk-outcome = Comment cela s’est passé
bulk-gone = disparue entre-temps
bulk-nothing = Rien n’est coché
bulk-nothing-text = Revenez en arrière, cochez les machines et recommencez.
bulk-leave = Les laisser telles quelles
bulk-back = Retour aux machines

### Réglages

settings-title = Réglages
settings-text = Tout ce qui est en vigueur sur ce serveur, et d’où cela vient. Pour changer quelque chose, modifiez le fichier ou l’environnement et redémarrez Berth ; les secrets ne sont jamais montrés.
settings-dangers = Ce qui affaiblit la sécurité
settings-tables = Tables de la configuration
settings-key = Clé et signification
settings-value = Valeur
settings-origin = D’où elle vient
settings-weakens = affaiblit la sécurité
settings-defaults = Laissées à leur valeur par défaut :
unit-seconds = secondes
unit-days = jours
origin-default = par défaut
origin-file = { $at }
origin-environment = variable { $variable }
link-access = Ouvrir cet écran :
link-access-text = Appuyez sur le bouton et l’écran s’ouvre dans cette fenêtre, sans mot de passe.
link-access-button = Ouvrir l’écran
link-remove = Supprimer cet écran :
link-remove-text = Sa session s’arrête aussitôt, et ce qui n’a pas été enregistré ailleurs est perdu.
link-remove-button = Supprimer l’écran
link-remove-all = Supprimer tous les écrans ?
link-remove-all-text = Les sessions de tous les écrans s’arrêtent aussitôt, et ce qui n’a pas été enregistré ailleurs est perdu. Les bureaux des personnes restent.
link-remove-all-button = Supprimer tous les écrans
link-removed = C’est fait
link-removed-text = La session de l’écran est supprimée. Son prochain lien en créera une nouvelle.
link-removed-all-text = Les sessions de tous les écrans sont supprimées. Leurs prochains liens en créeront de nouvelles.
link-until = Encore valable
link-uses = utilisations restantes :
link-aside = Ce lien est réservé à la personne qui l’a reçu. Regarder cette page ne le consomme pas ; le bouton, si.
rest-alone = Cet écran n’est pas en marche. Ouvrez à nouveau son lien, ou demandez-en un nouveau à la personne qui vous l’a donné.

problem-client-template = Il n’y a pas de modèle « { $name } » pour les clients. Configurez-en un, ou nommez-en un autre dans compat.template.
problem-client-home = Tous les clients partageraient les fichiers du modèle « { $name } ». Réglez son home sur "ephemeral" ou "session".
problem-client-unsettled = Cet écran est en cours de suppression. Réessayez dans un instant.
problem-client-missing = Il manque le paramètre id : /access?id=CLIENT.
problem-client-long = L’identifiant est trop long ; il peut avoir 2048 octets.
problem-client-unknown = Il n’y a pas de session de ce client.
problem-get-only = Cette adresse se demande avec GET.
problem-get-changes-nothing = Rien n’a été fait : ouvrir cette adresse dans un navigateur ne change rien, sinon n’importe quelle page pourrait vous le faire faire. Les scripts envoient un jeton ; pour les personnes, il y a les liens (berth link create).
problem-token-bound = Ce jeton agit au nom d’une personne. Pour les machines des autres, prenez-en un qui n’agit au nom de personne.
problem-token-required = Cette adresse demande un en-tête « Authorization: Bearer » avec un jeton valable pour les machines de tous. Pour un navigateur, créez plutôt un lien (berth link create).
problem-link-invalid = Ce lien a déjà servi ou il est trop ancien. Demandez-en un nouveau à la personne qui vous l’a donné.
problem-link-unfit = Un lien peut durer d’une seconde à 366 jours et servir de 1 à 10000 fois. S’il y en a déjà beaucoup, révoquez-en d’abord.

log-entry-given = Un navigateur a été admis sur { $target } sans connexion.
log-link-created = { $actor } a créé un lien { $action ->
    [access] vers la machine du client { $client }
    [remove] qui supprime la machine du client { $client }
   *[remove_all] qui supprime les machines de tous les clients
}, valable { $uses ->
    [one] une fois
   *[other] { $uses } fois
}.
log-link-refused = Quelqu’un a suivi un lien { $action ->
    [access] vers la machine du client { $client }
    [remove] qui supprime la machine du client { $client }
   *[remove_all] qui supprime les machines de tous les clients
}. Cela n’a rien fait : { $reason ->
    [used] il a servi autant de fois qu’il le pouvait
   *[lapsed] son temps est écoulé
}.
log-link-revoked = { $actor } a révoqué un lien { $action ->
    [access] vers la machine du client { $client }
    [remove] qui supprime la machine du client { $client }
   *[remove_all] qui supprime les machines de tous les clients
}.
log-link-used = Quelqu’un a suivi un lien { $action ->
    [access] vers la machine du client { $client }
    [remove] qui supprime la machine du client { $client }
   *[remove_all] qui supprime les machines de tous les clients
}.

# Ce qui, dans la configuration, affaiblit la sécurité.
danger-development = tls.dev_ca : le certificat est un certificat de développement, émis par cette machine elle-même ; mettez-en un vrai à sa place avant que d’autres ne s’y fient.
danger-isolation = engine.danger_skip_isolation est activé : Berth sert alors que rien ne prouve que les sessions ne peuvent atteindre ni les autres, ni cette machine.
danger-metrics = server.metrics écoute sur { $address }, que d’autres machines peuvent atteindre : les mesures sont servies sans mot de passe.
danger-origin = le modèle { $template } a danger_share_origin : ses pages s’exécutent sur l’origine même du portail et peuvent agir au nom de qui les ouvre.
danger-proxies = server.trusted_proxies contient { $proxy }, qui recouvre des conteneurs (engine.subnet = { $subnet }) : une session peut forger l’adresse d’où elle vient.
danger-subnet = engine.subnet = { $subnet } n’est pas une plage privée : les sessions cachent les vrais titulaires de ces adresses.
