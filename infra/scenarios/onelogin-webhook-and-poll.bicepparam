// OneLogin sends webhooks and is polled; one of its tables is made, and one that nothing fills is not.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param oneLoginBearerToken = 'token-1'
param oneLoginUrl = 'https://tenant.onelogin.example.com'
param oneLoginClientId = 'client-1'
param oneLoginClientSecret = 'secret-1'
param oneLoginTablesToCreate = ['OneLoginUsersV2_CL', 'Other_CL']
