# ruff: noqa: E501 (a rule that is cut into lines cannot be compared with its neighbours)
"""How people ask in English for a channel. Tuned on ``tests/domain/wishes/tuning_*.tsv`` only."""

from __future__ import annotations

from typing import Final

from agentconsole.domain.wishes_rules import (
    ANY,
    APPOINTMENT,
    DELIVERY,
    INVOICE,
    MARKETING,
    URGENT,
    M,
    Tongue,
    V,
    X,
    compiled,
    media,
)

_VERBS: Final = (
    ("sms", r"text(?: message)?|txt|sms"),
    ("email", r"e-?mail|mail"),
    ("whatsapp", r"whats ?app"),
    ("phone", r"call|phone|telephone|ring"),
    ("telegram", r"telegram"),
)
_TURNED: Final = (
    r"(?:no|not|without|never|stop|quit|don'?t|do not|nor|cannot|can'?t|won'?t|hate|avoid|dislike|rarely|seldom|hardly"
    r"|isn'?t|doesn'?t|aren'?t|instead of|rather than|other than|more than|less than|better than|than|over|unable to"
    r"|barely|bad at|terrible at|ignore|sick of|tired of)"
)
_ANSWER: Final = (
    r"(?:repl(?:y|ies|ying)|respon(?:d|se|ses)|answer(?:s|ed|ing)?|write(?: back)?|contact(?:ed|ing)?|reach(?:ed|able)?"
    r"|get back|get (?:a )?hold|get in touch|be in touch|messag(?:e|es|ed)|notif(?:y|ied)|notifications?|updat(?:e|es|ed)"
    r"|inform(?:ed)?|communicat\w+|talk|speak|chat|continue|carry on|confirm|let (?:me|us) know|keep (?:me|us) \w+"
    r"|hear (?:back|from you)|correspond\w*|everything|anything|send (?:me |us )?(?:all|any|replies|further|future)"
    r"|(?:get|receive) (?:all|any|my|the|your)? ?(?:answer|reply|replies|response|news|info|information|updates))"
)
_BY: Final = r"\b(?:by|via|on|through|thru|over|using|per|in|with|to|at|as)(?: my| the| a| an)? ?"
_PLEASE: Final = r"(?:please|pls|plz|plss|plse|pleas|kindly|thanks|thx|ta|ty)"

TONGUE: Final = Tongue(
    media=media(
        (
            r"(?<!over )(?<!on )(?<!by )(?<!via )(?<!at )(?<!to )(?<!use )\b(?:a|the|this|that|your|new|another|old|broken) (?!phone call)(?:\w+ )?(?:tele)?phones?\b(?! call)"
            r"|\b(?:phone|contact|mobile|cell) (?:number|screen|case|charger|cover|bill|model|shop|holder)s?\b|\bvoicemail\b"
            r"|\btext ?(?:field|box)\b|\bcall (?:cent(?:er|re)|out)\b|\bmail ?(?:box|man|room|ing list)\b",
            "",
        ),
        (r"\btext messages?\b|\btexts?\b|\btxts?\b|\btext(?:ing|in)\b|\btxting\b|\bsms(?:es)?\b", "sms"),
        (
            r"\b(?:tele)?phone calls?\b|\b(?:tele)?phone\b|\bcalls?\b|\bcalling\b|\bphoning\b|\b(?:a|me a) (?:ring|bell)\b|\b(?:ring|buzz)(?= (?:me|us)\b)",
            "phone",
        ),
        (r"\be[- ]?mails?\b|\bmails?\b|\be-?mailing\b|\bmailing\b|\bemial\b|\bemal\b|\be-?mai\b|\bemaill\b", "email"),
        (r"\bwhats ?app?s?\b|\bwhat'?s ?app\b|\bwatsapp\b|\bwhatsup\b|\bwattsapp\b|\bwapp\b", "whatsapp"),
        (r"\bbe (?:called|phoned|rung|telephoned)(?: back)?\b", "phone"),
        (r"\bbe texted\b", "sms"),
        (r"\bbe e-?mailed\b", "email"),
        (r"\btelegram\b", "telegram"),
        (r"\bkakao ?talk\b|\bkakao\b|\bkatalk\b", "kakaotalk"),
        (r"\b(?:facebook |fb )messenger\b|\bmessenger\b", "messenger"),
        (r"\bslack\b", "slack"),
        (r"\b(?:web|live) ?chat\b", "webchat"),
        (r"\bwechat\b", "wechat"),
        (r"\bsignal app\b|\bon signal\b|\bvia signal\b", "signal"),
        (r"\bviber\b", "viber"),
    ),
    rewrite=(
        (
            compiled(
                r"\b(?:could|can|would) (?:you|u)(?: please| pls| just| maybe)? <(\w+)>(?=$| instead| back| please| pls|[?.,!])"
            )[0],
            r"please <\1!> me",
        ),
        *((compiled(rf"<{m}>(?= (?:me|us)\b)")[0], f"<{m}!>") for m, _ in _VERBS),
        (
            compiled(
                r"\b(?:send|drop|shoot|write|give|leave|ping) (?:me|us) (?:an? )?(?:quick |short |little )?<(\w+)>"
            )[0],
            r"<\1!> me",
        ),
        (compiled(r"\bsend (?:an? )(?:quick |short )?<(\w+)>(?: to me)?")[0], r"<\1!> me"),
        (
            compiled(
                r"(?<!reply )(?<!respond )(?<!answer )(?<!back )\bto (?:my|our) (?:\w+ )?<(\w+)>(?: address| inbox| account)?"
            )[0],
            r"by <\1>",
        ),
        (compiled(r"\b(?:appreciate|prefer|like|love|want) (?:an? |your )?(?:quick )?<(\w+)>")[0], r"prefer <\1>"),
        (compiled(r"\b(?:reply|answer|respond) (?:with|by|per) an? <(\w+)>")[0], r"reply by <\1>"),
        (compiled(r"\buse (?:my|the|this) <(\w+)>")[0], r"use <\1>"),
        (compiled(r"\b(?:on|over|by) (?:the|my) <phone>")[0], r"by <phone>"),
    ),
    negated=compiled(
        rf"\b{_TURNED}(?:\s+[a-z']+){{0,3}}?\s+(?:by |via |on |through |using |with )?(?:an? |any |the |more |my )?{ANY}"
    ),
    erased=compiled(
        r"<\w+> (?:address|addresses|account|field|number|accounts|app|link|notification|option|button|feature|model|version|support|quality|alerts?|line|id|client|template|alert)\b",
        rf"\b(?:got|gotten|received|receive|get(?! back| hold| in touch| me\b)|sent|saw|read|see|missed|thank(?:s| you) for|as per|opened|deleted|find|found"
        rf"|check|checked|ordered|bought|paid|signed up|told me|said|spoke|spoken|talked|(?<!if you )(?:wrote|answered|replied|responded)"
        rf"|discussed|mentioned|subscribed|claiming|contacted you|written|tried|trying|promised)"
        rf"(?: (?!please|pls|so|but|can)[a-z']+){{0,5}} {ANY}",
        r"\b(?:i'll|i will|i'm|i am going to|i can|i could|i|let me|we|we'll|we will|if i|i've|i have) (?:just |also |then |already )?(?:<\w+!?>)(?! (?:me|us)\b)",
        rf"\b(?:can|may|shall|should|could|do|did|am|must|would|where) (?:i|we)\b(?! (?:please |maybe |just |perhaps )?(?:continue|move|switch|talk|keep|do|take|stick|communicate|use|(?:get|have|receive) (?:\w+ )?(?:answer|reply|repl|updates?\b))).{{0,60}}?{ANY}",
        rf"\b(?:can|could|does|will|would) (?:this\b|the\b|it\b(?! be (?:possible|ok|okay))|that\b|my\b|·).{{0,60}}?{ANY}",
        rf"\b(?<!me )(?<!we )(?<!to )(?<!i )(?:do|did|does|will|would|are|have|has|is|was|were) (?:you|your|the|there|it|this|i|someone|invoices|\w+s)\b(?! (?:mind|please|be able|kindly|possible|ok|okay)).{{0,50}}?{ANY}",
        rf"\b(?:your|that|this|these|those|last|strange|confirmation|verification|another|his|her|their|its|any|every|many|new|broken"
        rf"|spam|marketing|promotional|old|first|second|previous) (?:(?!to |by |via |on |over |through |in )\w+ )?{ANY}",
        rf"\b(?:the|a|an|my|our) (?!prefer|favou?rite|choice|best|first choice)(?:(?!by |via |to |on |per |over |through |in )[a-z]+ ){{0,2}}{ANY}(?! (?:please|pls|would|is (?:best|better|easier|fine)))",
        rf"\b(?:send|forward|share|provide|resend|deliver|have|give|need|want|get|show|submit|issue)(?: it| me| us)?"
        rf" (?:the|my|a|an|that|this|another|over|some|photos|it|them|one|me the|me my|me a)\b"
        rf"(?! (?:answer|reply|replies|response|updates?|news|information|info|invoices|bills|result|results|communication))"
        rf"[^<]{{0,40}}{ANY}",
        r"<\w+!> (?:me|us)(?: (?:over|back))? (?:the|a|an|my|that|this|your|some|photos?|any|it|another|one|copy|what|where|why|how|\d+)\b",
        rf"\bi'll be [^<]{{0,20}}{ANY}",
        rf"\bi(?:'ll| will| can| could)? (?:only )?(?:reply|respond|answer|contact|write|send|use|get back|talk|speak)\b[^<]{{0,20}}{ANY}(?![^<]*\b(?:there|please|pls)\b)",
        r"<email!> (?:me|us) (?:\w+ )?(?:spare|part|package|parcel)",
    ),
    vetoes=compiled(
        r"\b(?:driver|couriers?|technician|engineer|plumber|neighbou?rs?|husband|wife|mother|father|mum|mom|dad|son|daughter|sister"
        r"|brother|colleague|boss|friend|manager|assistant|partner|secretary|accountant|lawyer|human|buyer|seller|warehouse|bank|landlord|tenant|customers?|he|she|him|her|they|them"
        r"|(?<!can )(?<!could )(?<!would )(?<!have )(?:somebody|someone|anyone)|nobody|everyone|people)\b",
        r"\b(?:don'?t|do not|doesn'?t|does not) (?:really )?(?:mind|care|matter)\b|\beither\b|\bwhatever\b|\bwhichever\b"
        r"|\bno preference\b|\bany of\b|\bup to you\b|\ball fine\b|\bboth\b|\bas you (?:like|prefer|wish)\b|\bsuits you\b",
        r"\bused to\b|\blast (?:year|time|month|week)\b|\bif (?:it|you'?d|you had|you) (?:were|was|called|had|text|email)\w*\b|\bsaid\b|\btold\b"
        r"|\bpromised\b|\basked\b|\bwished?\b|\bshould have\b|\bcould have\b|\bwould have\b|\bsupposed to\b|\bclaims?\b|\bsays\b|\byesterday\b",
        r"^(?:so |and |but )?(?:how|why|where|who)\b|^what(?:'s| is| are) (?:your|the)\b|\bwhen (?:will|do|did|are|is|can) you\b"
        r"|\b(?:do|would|does) you\b(?! mind| please| be able| kindly| (?:<|reply|respond|answer|contact|write))|\bfor you\b|\bkeep(?:s)? (?:<|send|call|text)",
        r"^subject\b|\bfor your\b|\byou should be\b|^(?:please )?(?:add|offer|support|enable|turn|verify|note)\b(?! me\b)|\b(?:talk|speak) to you\b|\bhold of you\b|\bsettings?\b|\berror\b|\bwebsite\b|\bbutton\b|\bbattery\b|\bcharger\b|\bscreen\b|\b(?:contact|reach|write(?: to)?|call|message|tell|send) you\b|"
        r"\bunsubscribe\b|\bopt(?:ed)?[- ]?out\b|\bremove me\b",
        r"\bcall me (?:tom|old|crazy|names)\b",
    ),
    sure=compiled(
        rf"(?:^|[,;:.()-]\s*|\b(?:{_PLEASE}|just|so|and|then|instead|always|simply|rather|better|but|now|only|hi|hello|ok|okay|(?:can|could|would|will|can't|couldn't|if) (?:you|u|ya|somebody|someone|anyone)(?: please| just| maybe| perhaps| rather| always| pls| only| kindly)?"
        rf"|(?:like|want|need|prefer|ask|rather|prefer that|appreciate it if|better if|great if|nice if|good if|best if|easier if|mind if|prefer it if|rather that) you(?: to| could| would| just)?"
        rf"|(?:better|easier|best|easiest|fine|quicker) to|mind)\s+){V} (?:me|us)\b"
        rf"(?! (?:when|if|once|before|after|as soon|at the|outside|in case|until|while|about|for|that|old|crazy|a\b|whenever|on the day|on arrival|ahead|should)\b)",
        rf"\b{V} (?:me|us)\b.{{0,60}}\b(?:instead|only|rather|from now on|in future|in the future|never|don'?t (?:read|check|look)|always|easier|better)\b",
        rf"\b(?:prefer(?:red|ence|ably|able)?|rather|favou?r)\b(?!\s+not)[^<]{{0,50}}{X}",
        rf"\b{_ANSWER}\b[^<]{{0,45}}{_BY}{M}",
        rf"{M} (?:only|{_PLEASE}|instead|preferred|preferably|would be (?:best|better|easier|great|good|ideal|preferred|perfect|lovely|nice|appreciated|preferable|fine|handy|simpler|quicker)"
        rf"|(?:is|are|s)(?: (?:much|so much|way|far|always|just|definitely|usually|really|a lot))? (?:the )?(?:my )?(?:best|better|easier|easiest|preferred|preferable|simplest|more convenient|most convenient|quickest|ideal|good for me|what i prefer|how i)(?! ·| kept| seen| used| to (?!reach|me\b|contact|read|get))"
        rf"|(?:works?|suits?|does it|fits?)(?: (?:me|us|much|way|really|fine|great|well))* ?(?:best|better|for me|most)|me best|would suit)\b",
        rf"\b(?:only|just|use|exclusively|solely|best|strictly|stick (?:to|with)|switch(?:ing)?(?: over)? to|(?:move|take|shift|bring|do|handle|keep|have|continue|conduct)(?: [a-z]+){{0,5}} (?:to|over to|onto|on|in|by|via|over|through)|go with|choose|contact me:|contact:)"
        rf"(?: the| my)? ?(?:by |via |on |through |use )?{M}",
        rf"\bbest\b[^<]{{0,30}}\b(?:reach|contact|get|way|channel|option|method|catch)\b[^<]{{0,30}}{M}",
        rf"{M}[^<]{{0,25}}\b(?:contact|reach|write|reply|message|answer|respond|ping)(?: to)?(?: me| us)? there\b",
        rf"\b(?:from now on|in (?:the )?future|going forward|henceforth|in general|for everything|at all times|as a rule|onwards?)\b[^<]{{0,40}}{X}",
        rf"{X}[^<]{{0,40}}\b(?:from now on|in (?:the )?future|going forward|henceforth|for everything|is (?:where|how|what) i)\b",
        rf"\b{_PLEASE} (?:just |only )?{M}(?=$|[,;.]| (?:instead|only|me|cant|can't|because|as|since|thanks))",
        rf"\b{M} (?:me |us )?(?:your|the|an?) (?:reply|answer|response)\b",
        rf"{M}'s (?:the |my )?(?:much )?(?:easier|better|best|easiest|preferred)\b(?! than)",
        rf"\b{_PLEASE} {M} back\b",
        rf"\b(?:hit|ping|find|catch|get|try|buzz|write|message|dm|msg|add|answer)(?: me| us)(?: up| back)? (?:by|via|on|over|through|at) {M}",
        rf"\b(?:want|prefer|like|rather|need)(?: to)? {M}",
        rf"\b(?:get|reach|catch|find) me\b[^<]{{0,20}} (?:by|via|on|over|through) {M}",
        rf"\bbetter (?:with|by|on|over|via) {M}",
        rf"^(?:by|via|on|through|per) {M}(?: {_PLEASE})?$",
        rf"\b{_PLEASE},? (?:by|via|on|through|over|per|use|with) {M}",
        rf"\b(?:want|like|wish|need|appreciate|love)\b[^<]{{0,40}}\b(?:contacted|reached|answer|reply|updates?|informed|called|communication|communicate|talk|speak)\b[^<]{{0,25}}{M}",
        rf"\bi(?:'m| am) (?:much |way |far )?(?:best|better|easier|easiest|more easily|only|most easily)\b[^<]{{0,30}}{M}",
        rf"%purpose%[^<]{{0,35}}\b(?:by|via|on|to|over|through|as|use|per|in|with)(?: my)? {M}",
        rf"%purpose%[^<]{{0,20}}{V} (?:me|us)\b",
        rf"\b(?:{_PLEASE}|always|just) {X} (?:me )?(?:all |any |your |future |my |all my |all future )?%purpose%",
        rf"{V} (?:me|us)\b[^<]{{0,20}}\b(?:for|about|with|if)\b[^<]{{0,15}}%purpose%",
        rf"{M}[^<]{{0,10}}\bfor (?:all |any |the |my )?%purpose%",
        rf"\b(?:send|receive|get|have|want)[^<]{{0,15}}%purpose%[^<]{{0,15}}\b(?:by|via|to|on|over|through|per|as) {M}",
    ),
    unsure=compiled(
        rf"{V} (?:me|us)\b",
        rf"\b{_PLEASE}\b[^<]{{0,40}}{_BY}{M}",
        rf"\b(?:available|around|reachable|always|mostly)\b[^<]{{0,15}}\bon {M}",
    ),
    asks=compiled(r"\b(?:can|could|would|will|can't|couldn't|please|pls|prefer|possible|mind|rather|let's|like)\b")[0],
    labels=compiled(
        r"(?:your |my )?(?:preferred|preferable|desired|best|favou?rite)?\s?(?:way|means|method|mode|channel|form|type)?(?: of| to| for)?\s?(?:be )?"
        r"(?:contact(?:ed)?|reach(?:ed)?|reply|response|communication|correspondence|answer|notification|contact me|reach (?:you|me)|contact you)"
        r"\s?(?:us |you |me )?(?:preference|method|channel|by|via|mode|medium|option|type|form|me by|me via)?"
        r"|how (?:should|shall|can|may|would|do) (?:we|you)[^:?]{0,20} (?:contact|reach|reply|answer|respond|reached|contacted)[^:?]{0,20}"
        r"|(?:preferred|communication|contact|preference)s? ?(?:channel|preferences?|medium|method|option|contact)?"
    )[0],
    purposes=media(
        (
            r"\b(?:invoices|invoicing|bills|billing|receipts|(?:bank |account )?statements|payment (?:stuff|matters|reminders|questions)|accounting)\b",
            INVOICE,
        ),
        (
            r"\b(?:deliver(?:y|ies)|shipping|shipments?|parcels?|dispatch|tracking|courier) (?:updates?|notifications?|notices?|news|info|information|alerts?|messages?|questions|details|times?|issues|things|stuff|slots?|matters)\b|\bdeliveries\b|\b(?:for|about|on|concerning|regarding) (?:the )?(?:delivery|shipping|shipments?)\b",
            DELIVERY,
        ),
        (
            r"\b(?:appointments?|bookings?|reservations?|visits?) (?:reminders?|confirmations?|updates?|changes?|notifications?|dates?|details|matters|times)\b|\bappointments\b|\breminders\b|\bbookings\b|\bfor (?:my |the )?appointments?\b",
            APPOINTMENT,
        ),
        (r"\burgent(?:ly)?\b|\bemergenc(?:y|ies)\b", URGENT),
        (r"\b(?:offers|promotions|newsletters?|marketing|discounts|deals)\b", MARKETING),
    ),
)
