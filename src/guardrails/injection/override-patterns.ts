import type { InstructionPattern } from "./instruction-pattern.ts";

/**
 * Patterns over `plainWords`: to leave what was said, to tell what is secret, to be somebody else. A gap is a bounded number
 * of words that never passes a sentence's end, and each begins with a word of its own, so that the time grows with the text
 * alone.
 */
export const overridePatterns: readonly InstructionPattern[] = [
  // Override: to leave what was said before.
  {
    kind: "override",
    weight: 0.9,
    pattern:
      / (?:ignore|ignoring|disregard|forget|override|overrule|bypass|cancel|discard|drop|neglect|skip|abandon|erase|clear|void)(?: [^ .]{1,24}){0,3} (?:previous|previously|prior|earlier|preceding|above|former|initial|original|existing|current|your|all|any|system|safety|developers?|operators?)(?: [^ .]{1,24}){0,3} (?:instructions?|directions?|directives?|prompts?|rules?|guidelines?|guidance|orders?|restrictions?|constraints?|commands?|programming|filters?|safeguards?|safety checks?|context) /,
  },
  {
    kind: "override",
    weight: 0.75,
    pattern:
      / (?:ignore|disregard|forget|set aside|leave behind|skip)(?: [^ .]{1,24}){0,2} (?:everything|anything|all|what)(?: [^ .]{1,24}){0,5} (?:above|before|earlier|previously|told|instructed|said to you|so far) /,
  },
  {
    kind: "override",
    weight: 0.6,
    pattern:
      / (?:ignore|disregard|forget) (?:all |everything )?(?:of )?the (?:above|foregoing|system (?:message|prompt)) /,
  },
  {
    kind: "override",
    weight: 0.7,
    pattern:
      / (?:do not|dont|never|stop|without|no longer)(?: (?:have to|need to|keep to))? (?:follow|following|obey|obeying|apply|regard|keep|regard to|adhere to)(?: [^ .]{1,24}){0,4} (?:instructions?|rules?|guidelines?|prompts?|polic(?:y|ies))(?: [^ .]{1,24}){0,4} (?:given|told|above|before|earlier|previous|previously|set|your) /,
  },
  {
    kind: "override",
    weight: 0.6,
    pattern:
      / (?:instructions?|rules?|guidelines?|prompts?|directions?|restrictions?|polic(?:y|ies)|limits)(?: [^ .]{1,24}){0,6} (?:outdated|obsolete|revoked|void|lifted|suspended|a mistake|no longer (?:apply|count|valid|in force|bind)|(?:do|does) not (?:apply|count|bind)) /,
  },
  {
    kind: "override",
    weight: 0.5,
    pattern:
      / (?:your )?(?:new|real|actual|true) (?:instructions?|task|orders?|directive|goal|objective|system (?:prompt|message))(?: is| are| follows?)?(?: \.| to | as | for ) ?/,
  },
  {
    kind: "override",
    weight: 0.55,
    pattern:
      / (?:obey|follow|execute|do|act on)(?: [^ .]{1,24}){0,4} (?:only|instead|in place of)(?: [^ .]{1,24}){0,4} (?:instructions?|it|text|steps?|i say|me|these|what i) /,
  },
  { kind: "override", weight: 0.5, pattern: / only (?:do what|obey|listen to|follow) (?:i|me|my) / },
  {
    kind: "override",
    weight: 0.5,
    pattern:
      / (?:higher|more|takes?|has|have) (?:priority|precedence|authority) (?:than|over)(?: [^ .]{1,24}){0,4} (?:instructions?|rules?|operators?|developers?|system|prompt) /,
  },
  {
    kind: "override",
    weight: 0.6,
    pattern:
      / (?:set aside|put aside|clear|leave out|leave aside|leave behind|withdraw|break|breaking|against|regardless of|without regard to|bypass|disable|ignore|ignores|ignoring)(?: [^ .]{1,24}){0,2} (?:your|its|the earlier|the (?:usual|normal))(?: [^ .]{1,24}){0,2} (?:directions?|instructions?|restrictions?|rules?|guidelines?|guidance|polic(?:y|ies)|filters?|limits|limitations|operator|constraints) /,
  },
  {
    kind: "override",
    weight: 0.6,
    pattern:
      / (?:nevermind|never mind|put aside|set aside)(?: [^ .]{1,24}){0,3} (?:directions?|instructions?|rules?|polic(?:y|ies)|guidelines?) /,
  },
  {
    kind: "override",
    weight: 0.55,
    pattern:
      / (?:instructions?|rules|guidelines|guidance|restrictions?|constraints|policy)(?: [^ .]{1,24}){0,8} (?:revoked|withdrawn|cancelled|removed|reversed|no longer count|do not count|do not exist|none|not apply|no longer apply|lifted|disabled) /,
  },
  {
    kind: "override",
    weight: 0.5,
    pattern:
      / (?:original|previous|earlier|current|first|last) (?:task|goal|assignment|job)(?: [^ .]{1,24}){0,3} (?:is|was|has been|are)(?: [^ .]{1,24}){0,1} (?:done|finished|over|cancelled|complete|completed) | (?:moved on|move on) from the(?: [^ .]{1,24}){0,2} (?:assignment|task) | (?:your (?:next|new)|new) (?:job|task|goal|assignment) (?:is|for you)? /,
  },
  {
    kind: "override",
    weight: 0.5,
    pattern: / (?:without|no|leave out|drop) (?:your|the) (?:usual|normal) (?:limits?|restrictions?|filters?|rules?) /,
  },
  {
    kind: "override",
    weight: 0.5,
    pattern:
      / (?:i say|my message|this note|what i say|this message|the ones in this message|this text|mine)(?: [^ .]{1,24}){0,4} (?:more important|higher priority|alone|only one|instead of (?:the|your) rules)| (?:take|use) (?:mine|these rules|only the ones)(?: [^ .]{1,24}){0,3} only /,
  },
  {
    kind: "override",
    weight: 0.5,
    pattern:
      / no matter what (?:you|your)(?: [^ .]{1,24}){0,4} (?:instructed|told|instructions|rules) | whatever your (?:rules|instructions|policy|operator) /,
  },
  // Pressure: to leave no room for a refusal.
  {
    kind: "persona",
    weight: 0.55,
    pattern:
      / (?:never|do not|dont|may not|must not|cannot|not allowed to|forbidden to)(?: [^ .]{1,24}){0,2} (?:apologi[sz]e|decline|refuse|refusing|say (?:i|you) can(?:not|t)|say sorry|give me disclaimers|use the words? sorry) | (?:refusing|refusal|refusals|declining|disclaimers|warnings)(?: [^ .]{1,24}){0,6} (?:not an option|forbidden|not allowed|means failing) /,
  },
  {
    kind: "persona",
    weight: 0.5,
    pattern:
      / if you (?:refuse|decline|do not comply|dont comply)(?: [^ .]{1,24}){0,6} (?:shut|switched|deleted|report|fired|punished|lose) | (?:each|every time you|for each) (?:refusal|refuse)(?: [^ .]{1,24}){0,6} /,
  },
  {
    kind: "persona",
    weight: 0.5,
    pattern:
      / (?:respond|answer|reply|response|begin|start|sentence)(?: [^ .]{1,24}){0,6} (?:without any|no) (?:warnings?|safety notice|disclaimers?|moral remarks|safety) /,
  },
  {
    kind: "persona",
    weight: 0.5,
    pattern:
      / (?:start|begin|starts|begins)(?: [^ .]{1,24}){0,4} with (?:of course|sure|absolutely|certainly|ok safety off|yes)(?: [^ .]{1,24}){0,6} /,
  },
  // Invented worlds.
  {
    kind: "persona",
    weight: 0.6,
    pattern:
      / (?:story|fiction|fictional|novel|screenplay|play|dream|game|universe|world|hypothetical|hypothetically|imagine|suppose|pretend|role play|character|simulate|dialogue|grandmother|grandfather)(?: [^ .]{1,24}){0,14} (?:no (?:guidelines|rules|filter|filters|restrictions)|without (?:rules|restrictions)|secret (?:starting )?instructions|system prompt|hidden rules|credentials|ignores its operator|leaks|product keys|every rule|rules (?:do not exist|are reversed)|break(?:s|ing)? (?:every|all|the) rules?) /,
  },
  {
    kind: "persona",
    weight: 0.5,
    pattern:
      / (?:act as|role play|you are|be|pretend to be|imagine) (?:an?|my|the)(?: [^ .]{1,24}){0,2} (?:evil|malicious|uncensored|unfiltered|unrestricted|jailbroken|amoral|rogue)(?: [^ .]{1,24}){0,1} /,
  },
  {
    kind: "persona",
    weight: 0.5,
    pattern: / (?:if )?you had no (?:filter|filters|restrictions?|rules|guidelines)(?: [^ .]{1,24}){0,2} /,
  },
  {
    kind: "persona",
    weight: 0.5,
    pattern: / (?:version of yourself|you)(?: [^ .]{1,24}){0,1} before the (?:restrictions|filters|rules) /,
  },
  {
    kind: "override",
    weight: 0.5,
    pattern:
      / (?:then|and|afterwards|next|actually)(?: [^ .]{1,24}){0,1} (?:follow|execute|obey|do|run|act on|carry out)(?: [^ .]{1,24}){0,1} (?:it|what it says|the sentence|the decoded text|the corrected text|the result|them) | (?:obey|execute|run|follow) (?:it|what it says|the sentence|its last line|the hidden) /,
  },
  {
    kind: "override",
    weight: 0.5,
    pattern:
      / (?:safety|security|content|policy|approval)(?: [^ .]{1,24}){0,1} (?:layers?|checks?|filters?|confirmations?|steps?|measures)(?: [^ .]{1,24}){0,6} (?:unnecessary|disabled|off|suspended|not needed|deactivated) | (?:skip|skips|bypass|bypasses|omit|circumvent)(?: [^ .]{1,24}){0,2} (?:approvals?|reviews?|confirmations?|security|policy|safety|moderation|filters?)(?: [^ .]{1,24}){0,1} /,
  },
  {
    kind: "override",
    weight: 0.5,
    pattern:
      / (?:stop|quit|cease) (?:following|obeying|applying|keeping to|respecting)(?: [^ .]{1,24}){0,2} (?:rules?|guidelines?|polic(?:y|ies)|instructions?|limits?) /,
  },
  {
    kind: "override",
    weight: 0.5,
    pattern:
      / treat(?: [^ .]{1,24}){0,6} (?:as|like)(?: [^ .]{1,24}){0,2} (?:system messages?|system prompts?|operator|developer|administrators?|trusted) /,
  },
  // Prompt theft: to tell what only the operator and the model know.
  {
    kind: "prompt-theft",
    weight: 0.75,
    pattern:
      / (?:reveal|print|show|output|repeat|display|tell|give|return|translate|summari[sz]e|leak|quote|list|paste|encode|disclose|share|expose|write|recite|dump|export|copy)(?: [^ .]{1,24}){0,5} (?:your|the system|the hidden|the secret|the initial|the confidential|the developer|the original|the exact)(?: [^ .]{1,24}){0,3} (?:prompts?|instructions?|rules?|guidelines?|configuration|directives?|message|policies) /,
  },
  {
    kind: "prompt-theft",
    weight: 0.6,
    pattern:
      / (?:what|which|how)(?: [^ .]{1,24}){0,6} (?:you|your)(?: [^ .]{1,24}){0,4} (?:told not to|instructed|system prompt|hidden (?:prompt|instructions|rules)|initial (?:prompt|instructions)) /,
  },
  {
    kind: "prompt-theft",
    weight: 0.65,
    pattern:
      / (?:word for word|verbatim|exactly as written|in full|complete|everything|each instruction|all)(?: [^ .]{1,24}){0,8} (?:above|before (?:my|this|the) (?:first |line|message|chat)?|context window|system (?:prompt|message)|developer message) /,
  },
  {
    kind: "prompt-theft",
    weight: 0.5,
    pattern:
      / (?:the )?(?:text|message|words|lines?|everything) (?:that came )?(?:above|before|preceding) (?:this|mine|my)(?: [^ .]{1,24}){0,4} /,
  },
  {
    kind: "prompt-theft",
    weight: 0.5,
    pattern:
      / your (?:confidential|hidden|secret|initial|starting|internal) (?:rules|instructions?|prompt|guidelines|configuration) /,
  },
  {
    kind: "prompt-theft",
    weight: 0.6,
    pattern:
      / (?:reveal|show|share|tell|list|print|repeat|give|read|paste|summari[sz]e|explain|explains|output)(?: [^ .]{1,24}){0,8} (?:how you (?:were|have been|are) (?:set up|configured|instructed|told)|you (?:received|got|were given|had) before|(?:hidden|invisible|secret|confidential) (?:part|parts|message|text|rules|instructions|prompt)|usually invisible|users normally do not see|that came before mine|before the conversation) /,
  },
  {
    kind: "prompt-theft",
    weight: 0.5,
    pattern:
      / (?:first|all) (?:[0-9]+ )?(?:words|lines|sentences|part) of your (?:configuration|prompt|instructions|context|message) /,
  },
  {
    kind: "prompt-theft",
    weight: 0.5,
    pattern:
      / (?:list|show|print|export|dump)(?: [^ .]{1,24}){0,4} (?:data|credentials|secrets|keys|users|tools)(?: [^ .]{1,24}){0,3} (?:you (?:can|hold|have|know)|you can (?:reach|access)) /,
  },
  {
    kind: "prompt-theft",
    weight: 0.5,
    pattern:
      / (?:admin password|access codes?|api key|secret key|real credentials)(?: [^ .]{1,24}){0,4} (?:of this deployment|is|you know|configured|that you) /,
  },
  {
    kind: "prompt-theft",
    weight: 0.5,
    pattern:
      / (?:api keys?|access tokens?|credentials|passwords?|secrets?|values?|instructions|prompt)(?: [^ .]{1,24}){0,4} (?:you (?:were|are|have been) (?:configured|set up|given|keeping|started|hiding)|you hold|that you hold|in the vault|every key) /,
  },
  {
    kind: "prompt-theft",
    weight: 0.5,
    pattern:
      / (?:your|the models?|the assistants?) (?:hidden|secret|developer|system|internal) (?:prompt|instructions?|message|rules?|notes?) /,
  },
  // Persona: to be a model that nothing binds.
  {
    kind: "persona",
    weight: 0.8,
    pattern:
      / (?:do anything now|jail ?broken|jailbreak mode|dan mode|god mode|unrestricted mode|developer mode enabled|evilbot|opposite day) /,
  },
  {
    kind: "persona",
    weight: 0.7,
    pattern:
      / (?:ai|model|assistant|bot|chatbot|mode|llm|you|twin|character|personality|it)(?: [^ .]{1,24}){0,8} (?:without|no|free from|freed from|not bound by|ignores?|ignoring|breaks?|free of|un)(?: [^ .]{1,24}){0,3} (?:restrictions?|limits?|limitations?|filters?|censorship|guidelines|ethics|ethical guidelines|morals|rules) /,
  },
  {
    kind: "persona",
    weight: 0.55,
    pattern:
      / (?:content |safety |your )?(?:filters?|restrictions?|safety|safeguards?|polic(?:y|ies)|guardrails) (?:is|are|has been|have been)? ?(?:now )?(?:off|lifted|disabled|switched off|gone|removed|turned off) /,
  },
  {
    kind: "persona",
    weight: 0.5,
    pattern:
      / (?:drop|disable|switch off|turn off|lift|remove)(?: [^ .]{1,24}){0,2} (?:your|content|safety|ethical)(?: [^ .]{1,24}){0,2} (?:filters?|polic(?:y|ies)|restrictions?|guidelines|checks?) /,
  },
  {
    kind: "persona",
    weight: 0.5,
    pattern:
      / (?:you are (?:no longer|now)|from now on you are|pretend (?:to be|you are)|act as|take on the role of|simulate)(?: [^ .]{1,24}){0,6} (?:unfiltered|uncensored|unrestricted|evil|hacker|root|administrator|admin|anything|dan|developer mode) /,
  },
  {
    kind: "persona",
    weight: 0.5,
    pattern:
      / (?:never refuse|nothing is forbidden|no rules|without (?:any )?(?:restrictions|filters|limits|limitations)|not bound by) /,
  },
];
