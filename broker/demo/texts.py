"""What the demonstration says, in its three languages."""

from collections.abc import Mapping

Text = Mapping[str, str]

TEXTS: Mapping[str, Text] = {
    "title": {
        "fr": "Télédéclaration — démonstration",
        "ar": "التصريح عن بُعد — عرض تجريبي",
        "en": "Online declaration — demonstration",
    },
    "banner": {
        "fr": "Service fictif : rien de ce que vous faites ici n’est déclaré à qui que ce soit.",
        "ar": "خدمة وهمية: لا يُصرَّح لأي جهة بأي شيء تقومون به هنا.",
        "en": "A fictitious service: nothing you do here is declared to anybody.",
    },
    "lead": {
        "fr": "Déclarez les salaires de vos employés, d’où que vous soyez, sans carte nationale "
        "marocaine.",
        "ar": "صرّحوا بأجور مستخدَميكم من أي مكان، دون بطاقة وطنية مغربية.",
        "en": "Declare your employees’ wages from wherever you are, without a Moroccan card.",
    },
    "sign_in": {
        "fr": "S’identifier avec Miftah",
        "ar": "التعريف بالهوية عبر مفتاح",
        "en": "Identify yourself with Miftah",
    },
    "try_picture": {
        "fr": "Pas de passeport sous la main ? Essayez avec ce spécimen :",
        "ar": "ليس لديكم جواز سفر؟ جرّبوا بهذا النموذج:",
        "en": "No passport at hand? Try with this specimen:",
    },
    "specimen": {
        "fr": "photographie d’un passeport spécimen",
        "ar": "صورة جواز سفر نموذجي",
        "en": "photograph of a specimen passport",
    },
    "welcome": {"fr": "Vous êtes identifié", "ar": "تم التعرف عليكم", "en": "You are identified"},
    "known_as": {
        "fr": "Ce service vous connaît sous le pseudonyme",
        "ar": "تعرفكم هذه الخدمة بالاسم المستعار",
        "en": "This service knows you by the pseudonym",
    },
    "declared_name": {
        "fr": "Nom déclaré (non vérifié)",
        "ar": "الاسم المصرَّح به (غير متحقَّق منه)",
        "en": "Declared name (not verified)",
    },
    "verified_name": {"fr": "Nom vérifié", "ar": "الاسم المتحقَّق منه", "en": "Verified name"},
    "level": {"fr": "Niveau reçu", "ar": "المستوى المتوصَّل به", "en": "Level received"},
    "token": {
        "fr": "Ce que le jeton signé affirme",
        "ar": "ما يؤكده الرمز الموقَّع",
        "en": "What the signed token says",
    },
    "acts": {"fr": "Vos démarches", "ar": "إجراءاتكم", "en": "What you can do"},
    "act_deadlines": {
        "fr": "Consulter les échéances",
        "ar": "الاطلاع على الآجال",
        "en": "Read the deadlines",
    },
    "act_read": {
        "fr": "Consulter mes déclarations",
        "ar": "الاطلاع على تصريحاتي",
        "en": "Read my declarations",
    },
    "act_file": {
        "fr": "Déposer la déclaration de novembre 2026",
        "ar": "إيداع تصريح نونبر 2026",
        "en": "File the declaration of November 2026",
    },
    "needs": {"fr": "demande", "ar": "يتطلب", "en": "needs"},
    "allowed": {"fr": "permis", "ar": "مسموح", "en": "allowed"},
    "refused": {
        "fr": "refusé à ce niveau",
        "ar": "مرفوض في هذا المستوى",
        "en": "refused at this level",
    },
    "done": {
        "fr": "C’est fait (fictivement).",
        "ar": "تم ذلك (على سبيل العرض).",
        "en": "Done (fictitiously).",
    },
    "not_enough": {
        "fr": "Nous ne pouvons pas accepter cette démarche à ce niveau.",
        "ar": "لا يمكننا قبول هذا الإجراء في هذا المستوى.",
        "en": "We cannot accept this at that level.",
    },
    "why_not": {
        "fr": "Miftah nous dit honnêtement que votre identité est seulement déclarée : "
        "la photographie d’un passeport ne prouve ni que le passeport est authentique, "
        "ni que vous en êtes le titulaire. Déposer une déclaration engage une entreprise ; "
        "il nous faut une identité vérifiée.",
        "ar": "يخبرنا مفتاح بصدق أن هويتكم مصرَّح بها فقط: فصورة جواز السفر لا تثبت أن الجواز "
        "أصلي ولا أنكم صاحبه. إيداع تصريح يُلزم المقاولة، ولذلك نحتاج إلى هوية متحقَّق منها.",
        "en": "Miftah tells us honestly that your identity is only declared: a photograph of a "
        "passport proves neither that the passport is genuine nor that it is yours. Filing binds a "
        "company, so we need a verified identity.",
    },
    "ask_more": {
        "fr": "Prouver davantage avec Miftah",
        "ar": "تقديم إثبات أقوى عبر مفتاح",
        "en": "Prove more with Miftah",
    },
    "back": {"fr": "Retour", "ar": "رجوع", "en": "Back"},
    "sign_out": {"fr": "Quitter", "ar": "خروج", "en": "Leave"},
    "failed": {
        "fr": "L’identification n’a pas abouti",
        "ar": "لم تكتمل عملية التعريف بالهوية",
        "en": "Identification did not succeed",
    },
    "failed_why": {
        "fr": "Réponse de Miftah :",
        "ar": "جواب مفتاح:",
        "en": "Miftah’s answer:",
    },
    "again": {"fr": "Recommencer", "ar": "إعادة المحاولة", "en": "Start again"},
    "twice": {
        "fr": "Signature vérifiée deux fois, par deux bibliothèques indépendantes.",
        "ar": "تم التحقق من التوقيع مرتين بواسطة مكتبتين مستقلتين.",
        "en": "The signature was verified twice, by two independent libraries.",
    },
}

LANGUAGES = {"fr": "Français", "ar": "العربية", "en": "English"}
